//! Step 6: rows of what was written. A text that is too long for its row goes to the blob store first.

use perezvon_platform::Chunks;
use perezvon_store::TableError;
use perezvon_store::table::Update;

use super::Committer;
use crate::failure::Failure;

/// How a whole text is stored.
const PLAIN_TEXT: &str = "text/plain; charset=utf-8";

/// A row to be written.
pub struct Put {
    pub row: Update,
    /// Of a text that is too long for it: the blob, and the whole text.
    pub long: Option<(String, String)>,
}

impl From<Update> for Put {
    fn from(row: Update) -> Self {
        Self { row, long: None }
    }
}

impl Committer {
    /// After the commit and before the acknowledgement (!27): a row means committed. What crashes in between comes again,
    /// so the blob stands before its row, and is emptied behind the deletion, whichever of the two came first.
    pub(super) async fn put_rows(&self, rows: Vec<Put>) -> Result<(), Failure> {
        for Put { row, long } in rows {
            if let Some((blob, text)) = &long {
                self.store(blob, text).await?;
            }
            let stands = match self.table.update(row).await {
                Ok(row) => Some(Box::new(row)),
                Err(TableError::Conflict(row)) => row,
                Err(error) => return Err(error.into()),
            };
            let Some(row) = stands.filter(|row| row.n("deleted_at").is_some()) else { continue };
            let blob = long.as_ref().map(|(blob, _)| blob.as_str()).or(row.s("whole"));
            if let Some(blob) = blob {
                self.store(blob, "").await?;
            }
        }
        Ok(())
    }

    async fn store(&self, blob: &str, text: &str) -> Result<(), Failure> {
        let chunks: Chunks = Box::pin(futures_util::stream::iter([Ok(text.as_bytes().to_vec())]));
        self.blobs.put(blob, PLAIN_TEXT, chunks, text.len() as u64).await?;
        Ok(())
    }
}
