//! Specs of employees, groups and the fall-back.

use super::super::UserId;
use super::{Case, accepted, each_is_accepted, each_is_refused};

#[test]
fn employees_have_ids_names_and_numbers_of_their_own() {
    each_is_refused(&[
        (
            |it| it.employees[1].id = "Иванов".into(),
            &[
                "employees[1].id: `Иванов` cannot be an id; write 1 to 40 lowercase latin letters, digits and dashes",
                "groups.Продажи[0]: there is no employee `ivanov`; correct the id or add the employee",
            ],
        ),
        (
            |it| it.employees[2].id = "ivanov".into(),
            &["employees[2].id: `ivanov` stands in employees[1].id too; give each employee an id of their own"],
        ),
        (
            |it| it.employees[0].name = "два\nряда".into(),
            &["employees[0].name: there is a line break or a tab in it; write it in one line"],
        ),
        // Internal numbers must not repeat, nor come back with somebody who left.
        (
            |it| it.employees[1].extension = Some("10".into()),
            &[
                "employees[1].extension: `10` stands in employees[0].extension too; internal numbers must not repeat: take it from the one who has it no longer",
                "scenarios[0].exceptions[0]: no employee has the internal number `12`; correct it or take it out",
            ],
        ),
        (
            |it| it.employees[2].extension = Some("12".into()),
            &[
                "employees[2].extension: `12` stands in employees[1].extension too; internal numbers must not repeat: take it from the one who has it no longer",
            ],
        ),
        (
            |it| it.employees[0].extension = Some("1 01".into()),
            &["employees[0].extension: there is a space in it; write it without spaces"],
        ),
        (
            |it| it.employees[0].extension = Some("1".repeat(33).as_str().into()),
            &["employees[0].extension: 33 characters; write at most 32"],
        ),
        (
            |it| it.employees[1].crm_user = Some(UserId::Text("504001".into())),
            &[
                "employees[1].crm_user: `504001` stands in employees[0].crm_user too; a CRM user is one employee: take it from the one who has it no longer",
            ],
        ),
        (
            |it| it.employees[1].crm_user = Some(UserId::Text(String::new())),
            &["employees[1].crm_user: empty; write something here"],
        ),
    ]);
    each_is_accepted(&[
        |it| it.employees[0].extension = Some("0101".into()),
        |it| it.employees[0].extension = None,
        |it| it.employees[2].extension = Some("0102".into()),
        |it| it.employees[2].crm_user = Some(UserId::Text("user-3".into())),
    ]);
}

#[test]
fn there_are_at_most_five_hundred_employees() {
    let many = |count: usize| {
        super::refused(|it| {
            let one = it.employees[0].clone();
            it.employees.extend((it.employees.len()..count).map(|index| {
                let id = format!("e{index}").as_str().into();
                super::super::Employee { id, extension: None, crm_user: None, active: false, ..one.clone() }
            }));
        })
    };
    assert_eq!(many(500), [""; 0]);
    assert_eq!(many(501), ["employees: 501 of them; give 1 to 500"]);
}

#[test]
fn a_leading_zero_makes_another_internal_number() {
    let checked = accepted(|it| {
        it.scenarios[0].exceptions.clear();
        it.employees[1].extension = Some("0101".into());
    });
    let extensions: Vec<String> =
        checked.policy.employees.iter().filter_map(|it| it.extension.as_ref()).map(ToString::to_string).collect();
    assert_eq!(extensions, ["10", "0101"]);
}

#[test]
fn the_fall_back_works_here() {
    each_is_refused(&[
        (
            |it| it.fallback = "nobody".into(),
            &["fallback: there is no employee `nobody`; write the id of one of the employees"],
        ),
        (
            |it| it.fallback = "sidorov".into(),
            &[
                "fallback: `sidorov` does not work here any more (`active = false`); write the id of an employee who does",
            ],
        ),
    ]);
    each_is_accepted(&[|it| it.fallback = "ivanov".into()]);
}

#[test]
fn a_group_has_known_members_and_somebody_who_works_here() {
    each_is_refused(&[
        (|it| _ = it.groups.insert("Склад".into(), vec![]), &["groups.Склад: 0 of them; give 1 to 500"]),
        (
            |it| _ = it.groups.insert("Склад".into(), vec!["nobody".into()]),
            &["groups.Склад[0]: there is no employee `nobody`; correct the id or add the employee"],
        ),
        (
            |it| _ = it.groups.insert("Склад".into(), vec!["ivanov".into(), "ivanov".into()]),
            &["groups.Склад[1]: `ivanov` stands in groups.Склад[0] too; name each member once"],
        ),
        (
            |it| _ = it.groups.insert("Склад".into(), vec!["sidorov".into()]),
            &["groups.Склад: nobody in this group works here any more; add somebody who does, or take the group out"],
        ),
        (|it| _ = it.groups.insert(" ".into(), vec!["ivanov".into()]), &["groups. : empty; write something here"]),
    ]);
    each_is_accepted(&[|it| _ = it.groups.insert("Склад".into(), vec!["sidorov".into(), "ivanov".into()])]);
}

#[test]
fn what_is_allowed_but_looks_wrong_is_only_a_warning() {
    let warnings =
        |checked: super::Checked| -> Vec<String> { checked.warnings.iter().map(ToString::to_string).collect() };
    let warned: [Case; 4] = [
        (
            |it| it.employees[0].crm_user = None,
            &[
                "employees[0].crm_user: `petrova` is no user of the CRM; add the id of the user, else nobody is made responsible in their place",
            ],
        ),
        (|it| it.crm = None, &["crm: there is none; calls will only be kept in the feed"]),
        (
            |it| it.scenarios[0].lines.clear(),
            &["scenarios[0]: `Продажи` has no lines or no events and never acts; add them, or set `active = false`"],
        ),
        (|it| (it.scenarios[0].lines, it.scenarios[0].active) = (vec![], false), &[]),
    ];
    for (change, expected) in warned {
        assert_eq!(warnings(accepted(change)), expected);
    }
}
