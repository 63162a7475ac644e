//! The `Range` header: which bytes of a file an answer carries.

/// Most bytes in one answer: base64 must fit into the gateway's 6 MB.
pub const LARGEST: u64 = 4 * 1024 * 1024;

/// What to answer with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// All of it (200).
    Whole,
    /// Bytes `from..=to` (206).
    Bytes { from: u64, to: u64 },
    /// There is no such part (416).
    Outside,
}

/// Which part of `total` bytes this header asks for; never more than [`LARGEST`]. Several ranges and
/// units we do not know are ignored, as the standard allows.
pub fn part(header: Option<&str>, total: u64) -> Part {
    let whole = if total <= LARGEST { Part::Whole } else { Part::Bytes { from: 0, to: LARGEST - 1 } };
    let Some(range) = header.and_then(|header| header.trim().strip_prefix("bytes=")) else {
        return whole;
    };
    let Some((from, to)) = range.split_once('-').filter(|_| !range.contains(',')) else {
        return whole;
    };
    let bounds = match (from.trim(), to.trim()) {
        ("", "") => return whole,
        ("", last) => last.parse().map(|last: u64| (total.saturating_sub(last), total, last > 0)),
        (first, "") => first.parse().map(|first: u64| (first, total, true)),
        (first, last) => match (first.parse::<u64>(), last.parse::<u64>()) {
            (Ok(first), Ok(last)) if first > last => return whole,
            (Ok(first), Ok(last)) => Ok((first, last.saturating_add(1), true)),
            (Err(error), _) | (_, Err(error)) => Err(error),
        },
    };
    let Ok((from, end, some)) = bounds else {
        return whole;
    };
    let end = end.min(total).min(from.saturating_add(LARGEST));
    if some && from < end { Part::Bytes { from, to: end - 1 } } else { Part::Outside }
}

/// The `Content-Range` of these bytes.
pub fn content_range(from: u64, to: u64, total: u64) -> String {
    format!("bytes {from}-{to}/{total}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(header: &str, total: u64) -> Part {
        part(Some(header), total)
    }

    fn bytes(from: u64, to: u64) -> Part {
        Part::Bytes { from, to }
    }

    #[test]
    fn one_range_is_answered_inside_the_file() {
        assert_eq!(of("bytes=0-99", 1000), bytes(0, 99));
        assert_eq!(of("bytes=900-", 1000), bytes(900, 999));
        assert_eq!(of("bytes=900-5000", 1000), bytes(900, 999));
        assert_eq!(of("bytes=-100", 1000), bytes(900, 999));
        assert_eq!(of("bytes=-5000", 1000), bytes(0, 999));
        assert_eq!(of("bytes=999-999", 1000), bytes(999, 999));
    }

    #[test]
    fn a_range_outside_of_the_file_is_refused() {
        for header in ["bytes=1000-", "bytes=1000-2000", "bytes=-0"] {
            assert_eq!(of(header, 1000), Part::Outside, "{header}");
        }
        assert_eq!(of("bytes=0-", 0), Part::Outside);
    }

    #[test]
    fn what_is_no_single_range_is_ignored() {
        for header in ["", "bytes=", "bytes=-", "bytes=a-b", "bytes=5-1", "bytes=0-1,5-6", "lines=0-1"] {
            assert_eq!(of(header, 1000), Part::Whole, "{header}");
        }
        assert_eq!(part(None, 0), Part::Whole);
    }

    #[test]
    fn no_answer_is_larger_than_the_gateway_takes() {
        let total = 3 * LARGEST;
        assert_eq!(part(None, LARGEST), Part::Whole);
        assert_eq!(part(None, total), bytes(0, LARGEST - 1));
        assert_eq!(of("bytes=0-", total), bytes(0, LARGEST - 1));
        assert_eq!(of("bytes=10-99999999", total), bytes(10, LARGEST + 9));
        assert_eq!(of("bytes=18446744073709551615-", total), Part::Outside);
        assert_eq!(content_range(0, 99, 1000), "bytes 0-99/1000");
    }
}
