//! What people see of conversations through `api`: lists, the history, who is away; and what they may not do.

use perezvon_domain::conversation::event::Author;
use perezvon_domain::time::Millis;
use perezvon_domain::{ConversationEventKind as Kind, Timestamp};
use perezvon_platform::link::Role;
use perezvon_store::items::call::month;
use perezvon_store::items::history;
use perezvon_store::{Row, Value, keys};
use perezvon_tests::World;
use perezvon_tests::chat::{id, message};
use perezvon_tests::world::Plan;
use serde_json::{Value as Json, json};

use crate::answering::{CHAT, anna, asked, each, hello, petrova, post, seconds, shown};
use crate::calls::minutes;
use crate::people::{ask, of, owner, token};

/// The ids of a list.
pub async fn ids(world: &World, query: &str) -> Vec<String> {
    let (status, answer) = ask(world, &anna(), "GET", &of(&format!("conversations{query}")), None).await;
    assert_eq!(status, 200, "{answer}");
    let rows = answer["conversations"].as_array().expect("rows").iter();
    rows.map(|row| row["id"].as_str().unwrap_or_default().to_owned()).collect()
}

#[tokio::test(start_paused = true)]
async fn what_may_not_be_done_is_refused_with_what_to_do_and_nothing_is_made() {
    let world = asked(Plan::default()).await;
    let rows = world.table.all();
    let text = |text: &str| json!({ "text": text });
    let auditor = token("school", "anna", Role::Auditor);
    let integrator = token("school", "anna", Role::Integrator);
    let (chat, other) = (of(CHAT), of("conversations/ads:nobody"));
    for (who, path, body, expected) in [
        (anna(), format!("{chat}/reply"), text(""), 400),
        (anna(), format!("{chat}/reply"), text(" \n\t "), 400),
        (anna(), format!("{chat}/reply"), text(&"ж".repeat(10_001)), 400),
        (anna(), format!("{chat}/reply"), text(&format!("{} ", "ж".repeat(600)).repeat(14)), 400),
        (anna(), format!("{chat}/reply"), json!({ "text": "да", "more": 1 }), 400),
        (anna(), format!("{chat}/note"), text(" "), 400),
        (anna(), format!("{chat}/note"), text(&"ж".repeat(2_049)), 400),
        (anna(), format!("{other}/reply"), hello(), 404),
        (anna(), format!("{other}/note"), hello(), 404),
        (anna(), format!("{chat}/shout"), hello(), 405),
        (auditor, format!("{chat}/reply"), hello(), 403),
        (integrator, format!("{chat}/reply"), hello(), 403),
        (owner(), format!("{chat}/reply"), hello(), 403),
        (token("*", "anna", Role::Owner), format!("{chat}/reply"), hello(), 403),
        (token("school", "nobody", Role::Operator), format!("{chat}/reply"), hello(), 401),
        (token("other", "anna", Role::Owner), format!("{chat}/reply"), hello(), 404),
    ] {
        let (status, answer) = ask(&world, &who, "POST", &path, Some(body)).await;
        assert_eq!(status, expected, "{path} {answer}");
        assert!(answer["what_to_do"].is_string(), "{answer}");
    }
    let stranger = token("other", "owner", Role::Owner);
    for (method, path) in [
        ("GET", "conversations"),
        ("GET", CHAT),
        ("DELETE", "conversations/ads:u2i-1/messages/c1"),
        ("GET", "employees/anna/status"),
        ("PUT", "employees/anna/status"),
    ] {
        assert_eq!(ask(&world, &stranger, method, &of(path), None).await.0, 404, "{method} {path}");
    }
    for query in ["?of=anna", "?month=2026-13", "?cursor=x", "?of=group:x&cursor=x"] {
        assert_eq!(ask(&world, &anna(), "GET", &of(&format!("conversations{query}")), None).await.0, 400, "{query}");
    }
    assert_eq!(ask(&world, &anna(), "GET", &of("conversations/ads:nobody"), None).await.0, 404);
    assert_eq!(world.table.all(), rows);
}

#[tokio::test(start_paused = true)]
async fn the_history_is_shown_by_time_newest_last_and_page_by_page() {
    let mut world = asked(Plan::default()).await;
    let began = world.now();
    // Ids of a provider say nothing about the order.
    for (n, name) in ["z", "k", "a", "m"].into_iter().enumerate() {
        world.happened(began.after(Millis::seconds(n as i64)), message(name, Author::Client)).await;
    }
    seconds(&mut world, 10).await;
    let page = async |query: &str| ask(&world, &anna(), "GET", &of(&format!("{CHAT}?limit=2{query}")), None).await.1;
    let last = page("").await;
    assert_eq!(each(&last, "message"), [json!("a"), json!("m")]);
    let older = page(&format!("&cursor={}", last["cursor"].as_str().expect("a cursor"))).await;
    assert_eq!(each(&older, "message"), [json!("z"), json!("k")]);
    let first = page(&format!("&cursor={}", older["cursor"].as_str().expect("a cursor"))).await;
    assert_eq!((each(&first, "message"), &first["cursor"]), (vec![json!("c1")], &Json::Null));
}

#[tokio::test(start_paused = true)]
async fn an_echo_is_shown_once_and_what_may_be_one_not_before_that_is_known() {
    let mut world = asked(Plan::default()).await;
    let until = world.now().after(Millis::minutes(3));
    world.chats(|chats| chats.busy_until = until);
    assert_eq!(post(&world, &anna(), "reply", hello()).await.0, 200);
    seconds(&mut world, 1).await;
    for told in ["ours-0", "app-1"] {
        world.happens(message(told, Author::Agent)).await;
        seconds(&mut world, 1).await;
    }
    let answer = shown(&world).await;
    assert_eq!(
        (each(&answer, "message"), &each(&answer, "state")[1]),
        (vec![json!("c1"), Json::Null], &json!("waiting"))
    );
    minutes(&mut world, 10).await;
    let answer = shown(&world).await;
    assert_eq!(each(&answer, "message"), ["c1", "ours-0", "app-1"].map(|id| json!(id)));
    assert_eq!(each(&answer, "by"), [Json::Null, json!("Анна Главная"), Json::Null], "who wrote there nobody told us");
    assert_eq!(each(&answer, "from")[2], "agent");
}

#[tokio::test(start_paused = true)]
async fn a_history_beyond_its_bound_is_read_that_far_and_says_so() {
    let world = asked(Plan::default()).await;
    assert_eq!(shown(&world).await["whole"], true);
    let conversation = world.conversation().conversation;
    for n in 0..6_000 {
        let Kind::MessageReceived(told) = message(&format!("m{n:04}"), Author::Client) else { panic!("a message") };
        world.table.write(history::message(&conversation, &told, world.now())).expect("written");
    }
    let before = world.table.units().reads;
    let answer = shown(&world).await;
    assert_eq!((&answer["whole"], each(&answer, "id").len()), (&json!(false), 50));
    // The item; head, head and version of the settings; five pages of a thousand rows.
    assert_eq!(world.table.units().reads - before, 9);
}

#[tokio::test(start_paused = true)]
async fn an_employee_is_away_until_somebody_says_otherwise() {
    let world = asked(Plan::default()).await;
    let path = of("employees/petrova/status");
    let status = async |who: String, body: Option<Json>| {
        let method = if body.is_some() { "PUT" } else { "GET" };
        ask(&world, &who, method, &path, body).await
    };
    let set = |status: &str| Some(json!({ "status": status }));
    assert_eq!(status(anna(), None).await.1["status"], "away", "nobody ever said anything");
    assert_eq!(status(anna(), set("away")).await.0, 403, "not for somebody else");
    let (code, answer) = status(petrova(), set("away")).await;
    assert_eq!((code, &answer["status"], &answer["by"]), (200, &json!("away"), &json!("petrova")), "{answer}");
    assert!(answer["since"].is_number());
    assert_eq!(status(anna(), None).await.1["status"], "away");
    assert_eq!(status(token("school", "anna", Role::Admin), set("online")).await.1["status"], "online");
    assert_eq!(status(owner(), set("asleep")).await.0, 400);
    assert_eq!(ask(&world, &owner(), "GET", &of("employees/nobody/status"), None).await.0, 404);
}

#[tokio::test(start_paused = true)]
async fn those_who_work_here_are_listed_with_their_status() {
    let world = asked(Plan::default()).await;
    let online = Some(json!({ "status": "online" }));
    assert_eq!(ask(&world, &petrova(), "PUT", &of("employees/petrova/status"), online).await.0, 200);
    let (status, answer) = ask(&world, &anna(), "GET", &of("employees"), None).await;
    assert_eq!(status, 200, "{answer}");
    let all = answer["employees"].as_array().expect("employees");
    let told = |id: &str| all.iter().find(|it| it["id"] == id).map(|it| (it["name"].clone(), it["status"].clone()));
    assert_eq!(told("anna"), Some((json!("Анна Главная"), json!("away"))));
    assert_eq!(told("petrova"), Some((json!("Мария Петрова"), json!("online"))));
    assert_eq!(ask(&world, &token("other", "x", Role::Owner), "GET", &of("employees"), None).await.0, 404);
}

/// This many conversations that wait for a group, three of them since the same moment.
fn crowd(world: &World, count: i64) {
    let (account, channel) = (id().account, id().channel);
    for n in 0..count {
        let chat = format!("crowd-{n:06}");
        let at = Timestamp(world.now().0 + n / 3);
        let summary = json!({ "channel": channel, "chat": chat, "open": true, "opened_at": 1, "available_at": 1 });
        let attributes = [
            ("summary", Value::S(summary.to_string())),
            ("waiting", Value::S(keys::waiting_for_group(&account, "Толпа"))),
            ("waiting_at", Value::N(at.0)),
            ("feed", Value::S(keys::chat_feed(&account, &month(at)))),
            ("feed_at", Value::S(keys::feed_at(at, &channel, &chat))),
        ];
        let attributes = attributes.map(|(name, value)| (name.to_owned(), value)).into();
        world.table.put_back(Row { key: keys::chat(&account, &channel, &chat), attributes });
    }
}

#[tokio::test(start_paused = true)]
async fn a_page_is_one_query_at_ten_and_at_a_hundred_thousand() {
    let mut costs = Vec::new();
    for count in [10, 100_000] {
        let world = asked(Plan::default()).await;
        crowd(&world, count);
        for list in ["?limit=4&of=group:Толпа", "?limit=4"] {
            let before = world.table.units().reads;
            let (_, answer) = ask(&world, &anna(), "GET", &of(&format!("conversations{list}")), None).await;
            assert_eq!(answer["conversations"].as_array().map(Vec::len), Some(4));
            let cursor = answer["cursor"].as_str().expect("a cursor");
            ask(&world, &anna(), "GET", &of(&format!("conversations{list}&cursor={cursor}")), None).await;
            costs.push(world.table.units().reads - before);
        }
    }
    // Two pages, each by a new process: the head of the settings twice and their version once, then the Query.
    assert_eq!(costs, [8; 4]);
}

#[tokio::test(start_paused = true)]
async fn pages_of_a_list_meet_without_a_gap_and_without_a_repetition() {
    let world = asked(Plan::default()).await;
    crowd(&world, 10);
    let of_month = format!("&month={}", month(world.now()));
    for (list, limit) in [("&of=group:Толпа", 2), ("&of=group:Толпа", 3), (of_month.as_str(), 4)] {
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let path = of(&format!("conversations?limit={limit}{list}{cursor}"));
            let (_, answer) = ask(&world, &anna(), "GET", &path, None).await;
            let rows = answer["conversations"].as_array().expect("rows").iter();
            seen.extend(rows.map(|row| row["id"].as_str().unwrap_or_default().to_owned()));
            let Some(next) = answer["cursor"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        let mut crowd: Vec<String> = (0..10).map(|n| format!("ads:crowd-{n:06}")).collect();
        if list.contains("month") {
            crowd.reverse();
            crowd.push("ads:u2i-1".to_owned());
        }
        assert_eq!(seen, crowd, "{list} {limit}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_page_is_told_who_may_answer_and_which_groups_there_are() {
    let world = asked(Plan::default()).await;
    for (role, may) in [(Role::Operator, true), (Role::Auditor, false), (Role::Integrator, false)] {
        let (_, me) = ask(&world, &token("school", "anna", role), "GET", "/api/v1/me", None).await;
        assert_eq!(me["may"]["answer"], may, "{role:?}");
    }
    let (_, answer) = ask(&world, &anna(), "GET", "/api/v1/accounts", None).await;
    assert_eq!(answer["accounts"][0]["groups"], json!(["Продажи"]));
}
