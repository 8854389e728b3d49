use std::os::unix::fs::symlink;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;

/// A client that opens the device as any program would.
fn client(pty: &Pty) -> fs::File {
    fs::File::options()
        .read(true)
        .write(true)
        .open(pty.path())
        .unwrap()
}

#[tokio::test]
async fn every_byte_passes_unchanged() {
    use std::io::{Read, Write};

    let mut pty = Pty::open().unwrap();
    let mut client = client(&pty);
    let all: Vec<u8> = (0..=255).collect();

    client.write_all(&all).unwrap();
    let mut received = vec![0; all.len()];
    pty.read_exact(&mut received).await.unwrap();
    assert_eq!(received, all);

    pty.write_all(&all).await.unwrap();
    let mut received = vec![0; all.len()];
    client.read_exact(&mut received).unwrap();
    assert_eq!(received, all);
}

#[tokio::test]
async fn clients_may_come_and_go() {
    use std::io::Write;

    let mut pty = Pty::open().unwrap();
    for line in [b"G0 X1\n", b"G0 X2\n", b"G0 X3\n"] {
        client(&pty).write_all(line).unwrap();
        let mut received = [0; 6];
        pty.read_exact(&mut received).await.unwrap();
        assert_eq!(&received, line);
    }
}

#[tokio::test]
async fn writing_waits_when_nobody_reads() {
    let mut pty = Pty::open().unwrap();
    let flood = vec![b'x'; 4 << 20];
    let mut sent = 0;
    let full = std::future::poll_fn(|cx| {
        loop {
            match Pin::new(&mut pty).poll_write(cx, &flood[sent..]) {
                Poll::Ready(written) => sent += written.unwrap(),
                Poll::Pending => return Poll::Ready(sent),
            }
        }
    });
    assert!(full.await < flood.len());
}

#[tokio::test]
async fn a_lasting_name_lasts_as_long_as_the_pty() {
    let folder = tempfile::tempdir().unwrap();
    let name = folder.path().join("machine");
    let pty = Pty::open().unwrap().with_symlink(&name).unwrap();
    assert_eq!(pty.path(), name);
    drop(client(&pty));
    drop(pty);
    assert!(fs::symlink_metadata(&name).is_err());
}

#[tokio::test]
async fn a_lasting_name_replaces_only_its_own_kind() {
    let folder = tempfile::tempdir().unwrap();
    let stale = folder.path().join("stale");
    let pty = Pty::open().unwrap();
    symlink(pty.path().with_file_name("99999"), &stale).unwrap();
    let pty = pty.with_symlink(&stale).unwrap();
    assert_eq!(fs::read_link(&stale).unwrap().parent(), pty.path.parent());

    let precious = folder.path().join("precious");
    fs::write(&precious, "do not touch").unwrap();
    let error = Pty::open().unwrap().with_symlink(&precious).unwrap_err();
    assert!(
        matches!(&error, PtyError::Symlink { name, .. } if *name == precious),
        "{error}"
    );
    assert_eq!(fs::read_to_string(&precious).unwrap(), "do not touch");
}
