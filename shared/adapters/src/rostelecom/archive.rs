//! The file of a call log: documented as gzip, seen as a ZIP with one file in it. What it is, its first bytes tell.

use std::io::Read;

use rawzip::{CompressionMethod, ZipArchive};

/// What an answer to a download holds.
pub(super) enum Content {
    File(Vec<u8>),
    /// A page or a JSON text: the file is not there.
    Nothing,
}

/// More than this is not unpacked.
const LARGEST: u64 = 64 * 1024 * 1024;

/// Unpacks an answer; an error says why it cannot be.
pub(super) fn content(body: &[u8]) -> Result<Content, String> {
    match body {
        [b'P', b'K', ..] => unzipped(body).map(Content::File),
        [0x1f, 0x8b, ..] => limited(flate2::read::GzDecoder::new(body)).map(Content::File),
        _ => match body.trim_ascii_start().first() {
            Some(b'<' | b'{' | b'[') => Ok(Content::Nothing),
            _ => Ok(Content::File(body.to_vec())),
        },
    }
}

fn unzipped(body: &[u8]) -> Result<Vec<u8>, String> {
    let words = |error: rawzip::Error| error.to_string();
    let archive = ZipArchive::from_slice(body).map_err(words)?;
    let Some(entry) = archive.entries().next_entry().map_err(words)? else { return Ok(Vec::new()) };
    let (method, place) = (entry.compression_method(), entry.wayfinder());
    let entry = archive.get_entry(place).map_err(words)?;
    match method {
        CompressionMethod::STORE => limited(entry.data()),
        CompressionMethod::DEFLATE => {
            let inflated = flate2::bufread::DeflateDecoder::new(entry.data());
            limited(entry.verifying_reader(inflated))
        }
        other => Err(format!("способ сжатия {other:?} не поддерживается")),
    }
}

/// What a file claims to be as large as is not believed: it is counted.
fn limited(file: impl Read) -> Result<Vec<u8>, String> {
    let mut unpacked = Vec::new();
    file.take(LARGEST + 1).read_to_end(&mut unpacked).map_err(|error| error.to_string())?;
    if unpacked.len() as u64 > LARGEST {
        return Err(format!("распакованный файл больше {} МиБ", LARGEST / 1024 / 1024));
    }
    Ok(unpacked)
}
