//! What a backup keeps, and what a restore refuses.

use std::sync::Arc;

use perezvon_domain::{AccountId, ChannelId};
use perezvon_platform::clock::SystemClock;
use perezvon_platform::{Message, Queue as _};
use perezvon_store::{Table as _, Update, keys};
use tempfile::TempDir;

use super::*;

/// A data folder in use.
struct Machine {
    folder: TempDir,
    parts: Parts,
}

impl Machine {
    async fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let parts = Parts {
            queues: Queues::open(&folder.path().join(QUEUE), 3).expect("queues"),
            table: Embedded::open(&folder.path().join(TABLE)).await.expect("a table"),
        };
        let machine = Self { folder, parts };
        machine.file("lock", "12345");
        machine.file("blobs/ab/cd/abcd", "a recording");
        machine.file("blobs/drafts/.draft-0", "half a recording");
        machine.file("secrets/one.json", "{}");
        machine.file("owner.token", "an invented token");
        machine
    }

    fn file(&self, name: &str, text: &str) {
        let path = self.folder.path().join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, text).expect("a file");
    }

    async fn archive(&self) -> PathBuf {
        archive(self.folder.path(), &self.parts).await.expect("an archive")
    }
}

fn message(body: &str) -> Message {
    Message { body: body.to_owned(), group: "a".to_owned(), delay_ms: 0 }
}

fn names(folder: &Path) -> Vec<String> {
    let found = fs::read_dir(folder).expect("a folder");
    let mut names: Vec<String> =
        found.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[tokio::test]
async fn what_a_machine_keeps_comes_back_in_another_folder() {
    let machine = Machine::start().await;
    let queue = machine.parts.queues.queue("raw", Arc::new(SystemClock::new()));
    queue.send(vec![message("waiting")]).await.expect("a message");
    let key = keys::call(&AccountId::from("a"), &ChannelId::from("c"), "1");
    let row = machine.parts.table.main().update(Update::new(key.clone()).set("n", 7)).await.expect("a row");
    let file = machine.archive().await;

    let elsewhere = tempfile::tempdir().expect("a folder");
    let data = elsewhere.path().join("data");
    let contents = restore(&file, &data).expect("restored");
    assert_eq!(contents, verify(&file).expect("a whole archive"));
    assert_eq!((contents.files, contents.manifest.format), (5, FORMAT));
    assert_eq!(names(&data), ["blobs", "lock", "owner.token", QUEUE, "secrets", TABLE]);
    assert_eq!(names(&data.join("blobs")), ["ab"], "drafts mean nothing elsewhere");
    assert_eq!(fs::read_to_string(data.join("blobs/ab/cd/abcd")).expect("a file"), "a recording");
    let queues = Queues::open(&data.join(QUEUE), 3).expect("queues");
    assert_eq!(queues.depth("raw").await, Ok(1));
    let table = Embedded::open(&data.join(TABLE)).await.expect("a table");
    assert_eq!(table.main().get(&key).await, Ok(Some(row)));
    check_whole(&data).expect("whole");
}

#[tokio::test]
async fn the_queue_stands_before_the_table_and_the_files_behind_both() {
    let machine = Machine::start().await;
    let file = machine.archive().await;
    let mut order = Vec::new();
    read(&file, |path, bytes| {
        order.push(path.to_string_lossy().into_owned());
        io::copy(bytes, &mut io::sink()).map_err(at(path))
    })
    .expect("a whole archive");
    assert_eq!(order, [QUEUE, TABLE, "blobs/ab/cd/abcd", "owner.token", "secrets/one.json"]);
}

#[cfg(unix)]
#[tokio::test]
async fn nobody_but_the_owner_can_read_what_was_restored() {
    use std::os::unix::fs::PermissionsExt as _;
    let machine = Machine::start().await;
    let file = machine.archive().await;
    let elsewhere = tempfile::tempdir().expect("a folder");
    let data = elsewhere.path().join("data");
    restore(&file, &data).expect("restored");
    let mode = |path: &Path| fs::metadata(path).expect("metadata").permissions().mode() & 0o777;
    let modes = [&file, &data, &data.join("secrets"), &data.join("secrets/one.json")].map(|path| mode(path));
    assert_eq!(modes, [0o600, 0o700, 0o700, 0o600]);
}

#[tokio::test]
async fn two_backups_do_not_get_in_each_others_way_and_leave_nothing_but_themselves() {
    let machine = Machine::start().await;
    let (one, two) = (machine.archive().await, machine.archive().await);
    assert_ne!(one, two);
    assert_eq!(names(&machine.folder.path().join(WORK)).len(), 2);
    assert_eq!(verify(&two).expect("whole").files, 5, "the first archive is not part of the second");
}

#[tokio::test]
async fn a_folder_that_holds_something_is_left_alone() {
    let machine = Machine::start().await;
    let file = machine.archive().await;
    let elsewhere = tempfile::tempdir().expect("a folder");
    fs::write(elsewhere.path().join("letter.txt"), "mine").expect("a file");
    let error = restore(&file, elsewhere.path()).expect_err("not empty").to_string();
    assert!(error.contains("--data"), "{error}");
    assert_eq!(names(elsewhere.path()), ["letter.txt"]);
}

#[tokio::test]
async fn half_an_archive_is_refused_and_leaves_an_empty_folder() {
    let machine = Machine::start().await;
    let file = machine.archive().await;
    let whole = fs::read(&file).expect("the archive");
    let elsewhere = tempfile::tempdir().expect("a folder");
    // The end, its two blocks of zeros and the padding of the last file.
    for missing in [1024 + 512, 1024 + 512 + 512 + 512, whole.len() / 2] {
        fs::write(&file, &whole[..whole.len() - missing]).expect("half");
        let error = verify(&file).expect_err("half");
        assert!(matches!(error, BackupError::BrokenOff(_) | BackupError::Io { .. }), "{error:?}");
        restore(&file, elsewhere.path()).expect_err("half");
        assert_eq!(names(elsewhere.path()), Vec::<String>::new(), "{missing}");
    }
}

#[test]
fn any_other_file_is_no_backup() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("file");
    for bytes in [&b""[..], b"hello", &[0; 2048]] {
        fs::write(&file, bytes).expect("a file");
        assert!(matches!(verify(&file), Err(BackupError::NotABackup(_))));
    }
}

#[test]
fn an_archive_of_a_newer_format_and_one_that_leads_outside_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, manifest: &str, inside: &str| {
        let path = folder.path().join(name);
        let mut tar = tar::Builder::new(File::create(&path).expect("a file"));
        add(&mut tar, MANIFEST.as_ref(), manifest.len() as u64, manifest.as_bytes()).expect("written");
        let mut header = tar::Header::new_gnu();
        header.as_old_mut().name[..inside.len()].copy_from_slice(inside.as_bytes());
        header.set_size(0);
        header.set_cksum();
        tar.append(&header, io::empty()).expect("written");
        tar.into_inner().expect("finished");
        path
    };
    let newer = write("newer", r#"{"format":2,"created_at":"","version":"9.9"}"#, "a");
    let error = verify(&newer).expect_err("newer").to_string();
    assert!(error.contains("perezvon 9.9"), "{error}");
    let outside = write("outside", r#"{"format":1,"created_at":"","version":"0"}"#, "../stolen");
    let error = restore(&outside, &folder.path().join("data")).expect_err("outside");
    assert!(matches!(error, BackupError::NotABackup(_)), "{error:?}");
    assert!(!folder.path().join("stolen").exists());
}

#[test]
fn a_folder_whose_restore_was_interrupted_is_not_taken_for_whole() {
    let folder = tempfile::tempdir().expect("a folder");
    check_whole(folder.path()).expect("never restored");
    fs::write(folder.path().join(UNFINISHED), "").expect("a file");
    let error = check_whole(folder.path()).expect_err("unfinished").to_string();
    assert!(error.contains("restore again"), "{error}");
}
