//! An archive with one file in it.

use std::io::Write as _;

use flate2::write::DeflateEncoder;
use flate2::{Compression, Crc};

/// The file as a ZIP: deflated, sizes in front of it.
pub(super) fn of_one(name: &str, file: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    // Writing into memory does not fail; should it, the archive is broken, and whoever reads it says so.
    let packed = encoder.write_all(file).and_then(|()| encoder.finish()).unwrap_or_default();
    let mut crc = Crc::new();
    crc.update(file);
    let entry = entry(name, crc.sum(), packed.len(), file.len());
    let mut archive = Vec::new();
    archive.extend(b"PK\x03\x04");
    archive.extend(&entry);
    archive.extend(name.as_bytes());
    archive.extend(&packed);
    let directory_at = archive.len();
    // Made by: version 2.0.
    archive.extend(b"PK\x01\x02\x14\x00");
    archive.extend(&entry);
    // No comment, first disk, attributes, the entry at the beginning.
    archive.extend([0; 14]);
    archive.extend(name.as_bytes());
    let directory = archive.len() - directory_at;
    archive.extend(b"PK\x05\x06\x00\x00\x00\x00\x01\x00\x01\x00");
    archive.extend(four(directory));
    archive.extend(four(directory_at));
    archive.extend([0; 2]);
    archive
}

/// What the entry and the directory say alike: version 2.0, deflated, 1 January 1980, no extra field.
fn entry(name: &str, crc: u32, packed: usize, size: usize) -> Vec<u8> {
    let mut entry = vec![20, 0, 0, 0, 8, 0, 0, 0, 0x21, 0];
    entry.extend(crc.to_le_bytes());
    entry.extend(four(packed));
    entry.extend(four(size));
    entry.extend(u16::try_from(name.len()).unwrap_or_default().to_le_bytes());
    entry.extend([0; 2]);
    entry
}

fn four(number: usize) -> [u8; 4] {
    u32::try_from(number).unwrap_or(u32::MAX).to_le_bytes()
}
