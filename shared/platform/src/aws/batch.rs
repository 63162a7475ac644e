//! Splitting what is sent into the batches that AWS takes.

/// Most entries of one call.
const ENTRIES: usize = 10;
/// Most bytes that are put together: 256 KiB.
const BYTES: usize = 256 * 1024;

/// Batches of at most ten entries and 256 KiB, in the given order. An entry larger than that goes
/// alone: a queue takes up to 1 MiB, and AWS says what is wrong with more.
pub(super) fn batches<T>(items: Vec<T>, size: impl Fn(&T) -> usize) -> Vec<Vec<T>> {
    let mut batches: Vec<Vec<T>> = Vec::new();
    let mut bytes = 0;
    for item in items {
        let more = size(&item);
        match batches.last_mut() {
            Some(batch) if batch.len() < ENTRIES && bytes + more <= BYTES => {
                bytes += more;
                batch.push(item);
            }
            _ => {
                bytes = more;
                batches.push(vec![item]);
            }
        }
    }
    batches
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sizes(items: Vec<usize>) -> Vec<Vec<usize>> {
        batches(items, |size| *size)
    }

    #[test]
    fn nothing_makes_no_batch() {
        assert!(sizes(Vec::new()).is_empty());
    }

    #[test]
    fn the_eleventh_entry_begins_a_second_batch() {
        let lengths: Vec<_> = sizes(vec![1; 21]).iter().map(Vec::len).collect();
        assert_eq!(lengths, [10, 10, 1]);
    }

    #[test]
    fn a_batch_never_holds_more_than_256_kib() {
        let half = BYTES / 2;
        assert_eq!(sizes(vec![half, half, 1]), [vec![half, half], vec![1]]);
    }

    #[test]
    fn an_entry_that_is_too_large_goes_alone_and_the_order_stays() {
        assert_eq!(sizes(vec![1, BYTES + 1, 2]), [vec![1], vec![BYTES + 1], vec![2]]);
    }
}
