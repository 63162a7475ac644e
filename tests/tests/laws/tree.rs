//! The files of the project, read once.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// Never part of the project: what builds, runs and version control leave there.
const SKIPPED: &[&str] = &[
    "target",
    ".git",
    ".perezvon",
    ".ci/cache",
    ".aws-sam",
    "infra/cdk/node_modules",
    "infra/cdk/dist",
    "infra/cdk/cdk.out",
];

/// A file of the project.
pub struct File {
    /// From the root, with `/`.
    pub path: String,
    /// As UTF-8; what is none is replaced.
    pub text: String,
}

impl File {
    /// The lines with their numbers.
    pub fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text.lines().enumerate().map(|(at, line)| (at + 1, line))
    }

    pub fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }

    /// Only compiled for tests, the file as a whole.
    pub fn is_test(&self) -> bool {
        self.path.starts_with("tests/")
            || self.path.contains("/tests/")
            || self.name() == "tests.rs"
            || self.name() == "testing.rs"
    }

    /// The lines before the module of unit tests, without comments, with their numbers.
    pub fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = self.lines().take_while(|(_, line)| !line.starts_with("#[cfg(test)]"));
        lines.filter(|(_, line)| !line.trim_start().starts_with("//"))
    }
}

/// The root of the project.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// A path of the project.
pub fn at(path: &str) -> PathBuf {
    root().join(path)
}

/// A text file of the project.
pub fn text(path: &str) -> String {
    fs::read_to_string(at(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// All files.
pub fn files() -> &'static [File] {
    static FILES: OnceLock<Vec<File>> = OnceLock::new();
    FILES.get_or_init(|| {
        let mut found = Vec::new();
        walk(&root(), "", &mut found);
        found.sort_by(|one, other| one.path.cmp(&other.path));
        assert!(found.len() > 100, "only {} files found: wrong root?", found.len());
        found
    })
}

/// All Rust files.
pub fn rust() -> impl Iterator<Item = &'static File> {
    files().iter().filter(|file| file.path.ends_with(".rs"))
}

fn walk(folder: &Path, prefix: &str, found: &mut Vec<File>) {
    for entry in fs::read_dir(folder).expect("a readable folder") {
        let entry = entry.expect("an entry");
        let path = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if SKIPPED.contains(&path.as_str()) {
            continue;
        }
        if entry.file_type().expect("a file type").is_dir() {
            walk(&entry.path(), &format!("{path}/"), found);
        } else if let Ok(bytes) = fs::read(entry.path()) {
            found.push(File { path, text: String::from_utf8_lossy(&bytes).into_owned() });
        }
    }
}
