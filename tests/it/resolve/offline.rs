//! Without a network: what was asked before has to do.

use super::{Bench, CONTAINERD, DAY, EDGEMESH, YQ};

#[test]
fn a_warm_cache_gives_the_same_lock_and_a_cold_one_says_so() {
    let bench = Bench::new(&[YQ, EDGEMESH, CONTAINERD]);
    let cold = bench.resolve(&["--offline", "--as-of", DAY]);
    assert_eq!(cold.code, Some(6), "{cold:?}");
    assert!(bench.upstream.requests().is_empty());
    assert!(!bench.lock_file().exists(), "a lock of what is missing would be no help");
    assert_eq!(cold.stdout, "bundle.lock.yaml is not written: no component was resolved\n");

    bench.good(DAY);
    let lock = bench.lock_text();
    bench.upstream.forget();
    let with_lock = bench.resolve(&["--offline", "--as-of", DAY, "--check"]);
    assert_eq!(with_lock.code, Some(0), "{with_lock:?}");
    std::fs::remove_file(bench.lock_file()).unwrap();
    let without = bench.resolve(&["--offline", "--as-of", DAY]);
    assert_eq!((without.code, bench.lock_text()), (Some(0), lock), "{without:?}");
    assert!(bench.upstream.requests().is_empty());
}
