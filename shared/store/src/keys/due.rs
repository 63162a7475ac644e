//! Due indexes are spread over a few partitions.

use super::Key;

/// How many shards a due index has.
pub const DUE_SHARDS: u32 = 4;

/// The shard of a due index that a row belongs to.
pub fn due_shard(key: &Key) -> String {
    // FNV-1a: only spreads, needs no strength, and is the same on every host.
    let hash = key.pk.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    due_shard_name(hash % DUE_SHARDS)
}

/// The name of the n-th shard.
pub fn due_shard_name(shard: u32) -> String {
    format!("due#{shard}")
}
