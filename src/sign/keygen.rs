//! Signing with the real `ssh-keygen`.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use super::{Error, NAMESPACE};

/// The most of its message that is shown.
const MAX_MESSAGE: usize = 1000;

/// Signs `message` with a key: a private key's file, or the public half of one that an agent or a security key holds.
///
/// May ask for a passphrase on the terminal, as `ssh` does.
pub fn sign_bytes(message: &[u8], key: &Path) -> Result<String, Error> {
    let mut child = Command::new("ssh-keygen")
        .args(["-q", "-Y", "sign", "-n", NAMESPACE, "-f"])
        .arg(key)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(Error::Program)?;
    if let Some(mut stdin) = child.stdin.take() {
        // When it ends before it has read all, its exit code says why.
        drop(stdin.write_all(message));
    }
    let output = child.wait_with_output().map_err(Error::Program)?;
    let signature = String::from_utf8(output.stdout).unwrap_or_default();
    if !output.status.success() || !signature.starts_with("-----BEGIN SSH SIGNATURE-----") {
        let message = String::from_utf8_lossy(&output.stderr);
        let message = message.trim().chars().take(MAX_MESSAGE).collect();
        return Err(Error::Sign { key: key.to_owned(), message });
    }
    Ok(signature)
}
