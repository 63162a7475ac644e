//! Texts with `$(parameters)`: an allow-list, no code, a length limit.

use std::collections::BTreeMap;

/// The parameters a template may use, with what they mean.
pub const PARAMETERS: &[(&str, &str)] = &[
    ("phone", "номер клиента, +79990001122"),
    ("line", "номер компании, на который звонили"),
    ("client", "имя клиента из CRM, иначе его номер"),
    ("employee", "имя сотрудника, который говорил или которому звонили последним"),
    ("extension", "внутренний номер этого сотрудника"),
    ("scenario", "название сценария"),
    ("channel", "название канала"),
    ("date", "дата звонка, 21.11.2026"),
    ("time", "время звонка, 15:04"),
    ("digits", "клавиши, нажатые в меню"),
];

/// The parameters of what the first message of a chat makes.
pub const CHAT_PARAMETERS: &[(&str, &str)] = &[
    ("client", "имя клиента, иначе его номер у провайдера"),
    ("item", "название объявления, иначе имя клиента"),
    ("item_url", "ссылка на объявление"),
    ("text", "первое сообщение"),
    ("channel", "название канала"),
    ("date", "дата сообщения, 21.11.2026"),
    ("time", "время сообщения, 15:04"),
];

/// Longest text that a template may come to, in characters; longer is cut.
pub const LIMIT: usize = 255;

/// The first parameter that is not in the list, or an unclosed `$(`.
pub fn check(template: &str, parameters: &[(&str, &str)]) -> Result<(), String> {
    let mut rest = template;
    while let Some(start) = rest.find("$(") {
        let tail = &rest[start + 2..];
        let Some(end) = tail.find(')') else {
            return Err(format!("`{}` has no closing bracket", &rest[start..]));
        };
        let name = &tail[..end];
        if !parameters.iter().any(|(known, _)| *known == name) {
            let known: Vec<String> = parameters.iter().map(|(known, _)| format!("$({known})")).collect();
            return Err(format!("unknown parameter `$({name})`; use one of {}", known.join(", ")));
        }
        rest = &tail[end + 1..];
    }
    Ok(())
}

/// Puts the values in. An unknown parameter stays as it is: it was refused when it was saved.
pub fn fill(template: &str, values: &BTreeMap<&str, String>) -> String {
    let mut out = String::new();
    let mut rest = template;
    while let Some(start) = rest.find("$(") {
        out.push_str(&rest[..start]);
        let tail = &rest[start + 2..];
        match tail.find(')').and_then(|end| values.get(&tail[..end]).map(|value| (end, value))) {
            Some((end, value)) => {
                out.push_str(value);
                rest = &tail[end + 1..];
            }
            None => {
                out.push_str("$(");
                rest = tail;
            }
        }
    }
    out.push_str(rest);
    out.chars().take(LIMIT).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_put_in_and_values_are_not_read_again() {
        let values = BTreeMap::from([("phone", "+79990001122".to_owned()), ("client", "$(phone)".to_owned())]);
        assert_eq!(fill("Звонок $(phone), $(client)", &values), "Звонок +79990001122, $(phone)");
    }

    #[test]
    fn an_unknown_parameter_is_refused_with_the_list_of_known_ones() {
        let error = check("Клиент $(telephone)", PARAMETERS).expect_err("unknown");
        assert!(error.contains("$(telephone)") && error.contains("$(phone)"), "{error}");
        assert!(check("Клиент $(phone", PARAMETERS).is_err());
        assert!(check("Цена 100$ (скидка) $(phone)", PARAMETERS).is_ok());
        assert!(check("$(item): $(item_url)", CHAT_PARAMETERS).is_ok() && check("$(phone)", CHAT_PARAMETERS).is_err());
    }

    #[test]
    fn a_text_is_cut_at_its_limit_in_characters() {
        let values = BTreeMap::from([("client", "ж".repeat(400))]);
        assert_eq!(fill("$(client)", &values).chars().count(), LIMIT);
    }
}
