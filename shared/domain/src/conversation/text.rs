//! A long reply in parts that the provider takes.

/// Cuts a text into parts of at most `most` characters: at the end of a line or of a word where there is one.
pub fn parts(text: &str, most: usize) -> Vec<String> {
    let mut rest = text.trim();
    let mut parts = Vec::new();
    while !rest.is_empty() {
        let end = rest.char_indices().nth(most.max(1)).map_or(rest.len(), |(at, _)| at);
        let cut = if end == rest.len() { end } else { good_cut(&rest[..end], &rest[end..]) };
        let (part, tail) = rest.split_at(cut);
        parts.push(part.trim_end().to_owned());
        rest = tail.trim_start();
    }
    parts
}

/// Behind the last line of `head`, else its last word; behind all of it if that would leave less than a third.
fn good_cut(head: &str, tail: &str) -> usize {
    let far = |at: &usize| *at >= head.len() / 3;
    let word = || match tail.starts_with(char::is_whitespace) {
        true => None,
        false => head.rfind(char::is_whitespace).filter(far),
    };
    head.rfind('\n').filter(far).or_else(word).unwrap_or(head.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_text_is_one_part_and_no_text_is_none() {
        assert_eq!(parts("  Добрый день! ", 1000), ["Добрый день!"]);
        assert!(parts(" \n ", 1000).is_empty());
    }

    #[test]
    fn a_long_text_is_cut_between_words_and_lines_in_characters() {
        assert_eq!(parts("раз два три четыре", 8), ["раз два", "три", "четыре"]);
        assert_eq!(parts("первая строка\nвторая строка", 20), ["первая строка", "вторая строка"]);
        assert_eq!(parts(&"ж".repeat(25), 10).iter().map(|part| part.chars().count()).collect::<Vec<_>>(), [10, 10, 5]);
        assert!(parts("слово", 0).len() == 5);
    }
}
