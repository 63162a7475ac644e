//! Specs of inboxes in the settings.

use perezvon_domain::inbox::{HoursClass, OffHours, Staff};
use perezvon_domain::policy::Responsible;
use perezvon_domain::time::Millis;

use super::super::document::Rules;
use super::super::inboxes::{AutoReply, Backup, Bot, Inbox, Receiver};
use super::super::{Conversations, Document, conversations, parse};
use super::{Case, EXAMPLE, accepted, each_is_accepted, each_is_refused};

fn inbox(document: &mut Document) -> &mut Inbox {
    &mut document.inboxes[0]
}

fn step(text: &str, delay: &str) -> AutoReply {
    AutoReply { text: text.to_owned(), delay: delay.to_owned() }
}

fn bot() -> Bot {
    Bot { name: "Анна".to_owned(), backup: Backup::Group("Продажи".to_owned()) }
}

/// The example, read after a change of its text; it cannot be.
fn unreadable(from: &str, to: &str) -> String {
    assert!(EXAMPLE.contains(from), "{from}");
    let problems = parse(&EXAMPLE.replacen(from, to, 1)).expect_err("cannot be read");
    let told = problems[0].to_string();
    told.split_once(", ").map_or(told.clone(), |(_line, rest)| rest.to_owned())
}

#[test]
fn the_inbox_of_the_example_is_as_it_reads() {
    let document = parse(EXAMPLE).expect("the example can be read");
    let Conversations { policy, inboxes, warnings } = conversations(&document).expect("right");
    assert_eq!((policy.hours, policy.employees.len()), (accepted(|_| {}).policy.hours, 3));
    assert_eq!(warnings, []);
    let (name, inbox) = &inboxes[0];
    assert_eq!((inboxes.len(), name.as_str()), (1, "Чаты"));
    assert_eq!(inbox.staff(HoursClass::OffHours), &Staff::Group("Продажи".to_owned()));
    let delays = |class| inbox.steps(class).iter().map(|step| step.delay.0 / 1000).collect::<Vec<_>>();
    assert_eq!(delays(HoursClass::Working), [30, 1200]);
    assert_eq!(delays(HoursClass::OffHours), [120]);
    assert_eq!(inbox.close_after, Some(Millis::minutes(48 * 60)));
    assert_eq!(inbox.closing_text.as_deref(), Some("Если остались вопросы, напишите нам снова."));
    assert_eq!((inbox.max_text, inbox.can_initiate, inbox.names_a_bot()), (1000, false, false));
    assert_eq!(inbox.records, None);
}

/// The example with what it says about records.
fn recorded(document: &mut Document) {
    let text = EXAMPLE.replace("# new_client = ", "new_client = ").replace("# known_client = ", "known_client = ");
    document.inboxes = parse(&text).expect("the example can be read").inboxes;
}

/// Its rules for new clients.
fn new_client(document: &mut Document) -> &mut Rules {
    recorded(document);
    inbox(document).new_client.as_mut().expect("rules")
}

#[test]
fn the_records_of_the_example_are_as_they_read() {
    let checked = accepted(recorded);
    assert!(checked.document.contains("new_client"));
    let mut document = parse(EXAMPLE).expect("readable");
    recorded(&mut document);
    let inboxes = conversations(&document).expect("right").inboxes;
    let records = inboxes[0].1.records.as_ref().expect("records");
    let (contact, deal) = (records.new.contact.as_ref(), records.new.deal.as_ref());
    assert_eq!(contact.map(|rule| rule.name.as_str()), Some("$(client)"));
    assert_eq!(deal.map(|rule| &rule.responsible), Some(&Responsible::Usual));
    assert!(records.known.contact.is_none() && records.known.deal.is_some());
}

#[test]
fn records_of_a_chat_need_a_crm_a_contact_and_texts_of_their_own_parameters() {
    each_is_refused(&[
        (
            |it| {
                recorded(it);
                it.crm = None;
            },
            &[
                "inboxes[0].new_client: there is no CRM to make it in; add a section `[crm]`, or take this out",
                "inboxes[0].known_client: there is no CRM to make it in; add a section `[crm]`, or take this out",
            ],
        ),
        (
            |it| new_client(it).contact = None,
            &["inboxes[0].new_client: a new client has no contact that this could belong to; add `contact`"],
        ),
        (
            |it| {
                recorded(it);
                inbox(it).known_client = inbox(it).new_client.clone();
            },
            &[
                "inboxes[0].known_client.contact: a client from the CRM has a contact already; make contacts in the events of new clients only",
            ],
        ),
        (
            |it| new_client(it).deal.as_mut().expect("a deal").name = "Звонок $(line)".into(),
            &["inboxes[0].new_client.deal.name: unknown parameter `$(line)`; use one of $(client), $(item), …"],
        ),
        (
            |it| new_client(it).deal.as_mut().expect("a deal").responsible = "on_the_call".into(),
            &[
                "inboxes[0].new_client.deal.responsible: `on_the_call` says nobody; write `usual`, `employee:ID` or `group:NAME`",
            ],
        ),
    ]);
    let without = accepted(|_| {});
    assert!(!without.document.contains("new_client"), "the digest of older settings stays");
}

#[test]
fn everything_but_name_and_receiver_may_be_left_out() {
    let small = EXAMPLE.split("working = [").next().expect("a beginning");
    let inboxes = conversations(&parse(small).expect("readable")).expect("right").inboxes;
    let inbox = &inboxes[0].1;
    assert_eq!((&inbox.working, &inbox.off_hours), (&Vec::new(), &OffHours::AutoReplies(Vec::new())));
    assert_eq!((inbox.close_after, &inbox.closing_text), (None, &None));
    let without = accepted(|it| it.inboxes.clear());
    assert!(!without.document.contains("inboxes"), "the digest of older settings stays");
}

#[test]
fn a_receiver_is_one_employee_who_works_here_or_one_group() {
    each_is_refused(&[
        (
            |it| inbox(it).receiver = Receiver::Employee("nobody".into()),
            &["inboxes[0].receiver.employee: there is no employee `nobody`; write the id of one of the employees"],
        ),
        (
            |it| inbox(it).receiver = Receiver::Employee("sidorov".into()),
            &[
                "inboxes[0].receiver.employee: `sidorov` does not work here any more (`active = false`); write the id of an employee who does",
            ],
        ),
        (
            |it| inbox(it).receiver = Receiver::Group("Склад".into()),
            &["inboxes[0].receiver.group: there is no group `Склад`; write the name of one of the groups"],
        ),
    ]);
    each_is_accepted(&[|it| inbox(it).receiver = Receiver::Employee("petrova".into())]);
    let group = "receiver = { group = \"Продажи\" }";
    let two = unreadable(group, "receiver = { group = \"Продажи\", employee = \"petrova\" }");
    assert!(two.starts_with("inboxes[0].receiver") && two.ends_with("; name exactly one"), "{two}");
    let distribution = unreadable(group, "receiver = { employee = \"petrova\", distribution = \"all\" }");
    assert!(distribution.ends_with("; name exactly one"), "{distribution}");
    let unknown = unreadable(group, "receiver = { person = \"petrova\" }");
    assert!(unknown.contains("`person`, expected one of `employee`, `group`, `bot`"), "{unknown}");
    assert!(unreadable(group, "").contains("missing field `receiver`; add it"));
    let field = unreadable("close_after = \"48h\"", "close_afther = \"48h\"");
    assert!(field.starts_with("inboxes[0].close_afther: unknown field"), "{field}");
}

#[test]
fn a_bot_is_refused_and_cannot_be_named_without_a_back_up() {
    let off = "take it out; autoreplies off hours stand in `off_hours`";
    let beside = format!("inboxes[0].off_hours_bot: a bot beside autoreplies, and there are no bots yet; {off}");
    assert_eq!(super::refused(|it| inbox(it).off_hours_bot = Some(bot())), [beside]);
    let alone = super::refused(|it| {
        inbox(it).off_hours_bot = Some(bot());
        inbox(it).off_hours.clear();
    });
    assert_eq!(alone, [format!("inboxes[0].off_hours_bot: there are no bots yet; {off}")]);
    each_is_refused(&[(
        |it| inbox(it).receiver = Receiver::Bot(bot()),
        &["inboxes[0].receiver.bot: there are no bots yet; write `{ employee = \"ID\" }` or `{ group = \"NAME\" }`"],
    )]);
    let group = "receiver = { group = \"Продажи\" }";
    let without = unreadable(group, "receiver = { bot = { name = \"Анна\" } }");
    assert!(without.ends_with("missing field `backup`; add it"), "{without}");
    let without = unreadable("off_hours = [", "off_hours_bot = { name = \"Анна\" }\noff_hours = [");
    assert!(without.ends_with("missing field `backup`; add it"), "{without}");
}

#[test]
fn a_delay_is_0_to_86400_seconds() {
    for delay in [
        "",
        "s",
        "30",
        "-5s",
        "+5s",
        "5 m",
        "5w",
        "1.5h",
        "86401s",
        "1441m",
        "25h",
        "2d",
        "99999999999999999999s",
        "9223372036854775807d",
    ] {
        let problems = super::refused(|it| inbox(it).working[1].delay = delay.to_owned());
        let what = format!("inboxes[0].working[1].delay: `{delay}` is no delay of 0 to 86400 seconds");
        assert_eq!(problems, [format!("{what}; write `0s`, `30s`, `5m` or `2h`, at most `1d`")]);
    }
    for delay in ["0s", "86400s", "1440m", "24h", "1d"] {
        assert_eq!(super::refused(|it| inbox(it).off_hours[0].delay = delay.to_owned()), Vec::<String>::new());
    }
}

#[test]
fn closing_takes_1_to_8760_hours_or_1_to_365_days() {
    for time in ["", "h", "0h", "0d", "-1h", "8761h", "366d", "30m", "90s", "2", "99999999999999999999h"] {
        let problems = super::refused(|it| inbox(it).close_after = Some(time.to_owned()));
        let what = format!("inboxes[0].close_after: `{time}` is no time after which a conversation can be closed");
        assert_eq!(problems, [format!("{what}; write hours, `1h` to `8760h`, or days, `1d` to `365d`")]);
    }
    for time in ["1h", "8760h", "1d", "365d"] {
        assert_eq!(super::refused(|it| inbox(it).close_after = Some(time.to_owned())), Vec::<String>::new());
    }
}

#[test]
fn a_text_has_something_in_it_and_no_more_than_can_be_sent() {
    let empty = "an empty text; write one or leave it out";
    assert_eq!(
        super::refused(|it| inbox(it).closing_text = Some(" \n".into())),
        [format!("inboxes[0].closing_text: {empty}")]
    );
    assert_eq!(
        super::refused(|it| inbox(it).working[0].text.clear()),
        [format!("inboxes[0].working[0].text: {empty}")]
    );
    let cases: [Case; 2] = [
        (
            |it| inbox(it).closing_text = Some("ж".repeat(251)),
            &["inboxes[0].closing_text: 251 characters; at most 250 can be sent"],
        ),
        (
            |it| inbox(it).off_hours[0].text = "ж".repeat(1001),
            &["inboxes[0].off_hours[0].text: 1001 characters; at most 1000 can be sent"],
        ),
    ];
    each_is_refused(&cases);
    each_is_accepted(&[
        |it| inbox(it).closing_text = Some(format!(" {}\n", "🙂".repeat(250))),
        |it| inbox(it).off_hours[0].text = "ж".repeat(1000),
        |it| inbox(it).closing_text = None,
    ]);
}

#[test]
fn names_are_unique_and_lists_have_an_end() {
    each_is_refused(&[
        (|it| inbox(it).name = " ".into(), &["inboxes[0].name: empty; write something here"]),
        (
            |it| it.inboxes = vec![it.inboxes[0].clone(), it.inboxes[0].clone()],
            &["inboxes[1].name: `Чаты` stands in inboxes[0].name too; give each inbox a name of its own"],
        ),
        (
            |it| inbox(it).working = vec![step("Скоро ответим", "5m"); 21],
            &["inboxes[0].working: 21 of them; give 0 to 20"],
        ),
        (
            |it| inbox(it).off_hours = vec![step("Ответим утром", "5m"); 21],
            &["inboxes[0].off_hours: 21 of them; give 0 to 20"],
        ),
        (
            |it| {
                let named = |index: usize| Inbox { name: index.to_string(), ..it.inboxes[0].clone() };
                it.inboxes = (0..51).map(named).collect();
            },
            &["inboxes: 51 of them; give 0 to 50"],
        ),
    ]);
    each_is_accepted(&[|it| inbox(it).working = vec![step("Скоро ответим", "5m"); 20]]);
}

#[test]
fn conversations_alone_are_checked_without_the_secrets_all_at_once() {
    let mut document = parse(EXAMPLE).expect("the example can be read");
    document.account.time_zone = "Moscow".to_owned();
    document.fallback = "nobody".into();
    document.hours.as_mut().expect("hours").monday = vec!["9".to_owned()];
    (inbox(&mut document).close_after, inbox(&mut document).working[0]) = (Some("0h".into()), step("", "x"));
    let problems = conversations(&document).expect_err("all are wrong");
    let places: Vec<&str> = problems.iter().map(|it| it.path.as_str()).collect();
    let inboxes = ["inboxes[0].working[0].delay", "inboxes[0].working[0].text", "inboxes[0].close_after"];
    assert_eq!(places, [["account.time_zone", "fallback", "hours.monday[0]"], inboxes].concat());
}
