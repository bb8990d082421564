//! Entry only: everything is in the library.

fn main() -> std::process::ExitCode {
    bundler::cli::main()
}
