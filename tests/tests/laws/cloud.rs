//! The template holds what the protocol and the functions take for granted: triggers, time-outs, variables, indexes.

use std::collections::{BTreeMap, BTreeSet};

use perezvon_adapters::PROVIDERS;
use perezvon_engine::Times;
use perezvon_engine::secrets::JobTimes;
use perezvon_store::dynamo::schema::{self, TTL_ATTRIBUTE};
use serde_json::{Value, json};

use crate::template::{Resource, function, functions, place, resource, resources, target, template};
use crate::{obeyed, tree};

#[test]
fn every_function_has_a_trigger() {
    let schedules = resources("AWS::Scheduler::Schedule");
    let scheduled: Vec<&str> = schedules.iter().map(|it| target(&it.property("Target")["Arn"]).name).collect();
    let doors = resources("AWS::ApiGatewayV2::Integration");
    let asked: Vec<&str> = doors.iter().map(|it| target(it.property("IntegrationUri")).name).collect();
    let idle = functions().into_iter().filter(|function| {
        let name = function.resource.name;
        function.queues().is_empty() && !scheduled.contains(&name) && !asked.contains(&name)
    });
    obeyed("a function is called by HTTP, a queue or a schedule", idle.map(|function| function.folder).collect());
}

#[test]
fn each_sweep_comes_every_minute() {
    let schedules = resources("AWS::Scheduler::Schedule");
    let called: BTreeSet<&str> = schedules.iter().map(|it| target(&it.property("Target")["Arn"]).name).collect();
    let sweeps = ["wake", "auto-reply", "auto-close"].map(|folder| function(folder).resource.name);
    assert_eq!(called, BTreeSet::from(sweeps));
    for schedule in schedules {
        assert_eq!(schedule.property("ScheduleExpression"), "rate(1 minute)", "{}", schedule.name);
        assert!(schedule.property("State").is_null(), "{} runs", schedule.name);
    }
}

#[test]
fn every_queue_has_partial_batches_dead_letters_and_time() {
    let mut sources = BTreeSet::new();
    for function in functions() {
        for (queue, source) in function.queues() {
            let name = queue.name;
            sources.insert(name);
            assert_eq!(source["FunctionResponseTypes"], json!(["ReportBatchItemFailures"]), "{name}");
            assert!(source["ScalingConfig"]["MaximumConcurrency"].is_i64(), "{name} takes as much as it likes");
            let redrive = queue.property("RedrivePolicy");
            let receives = redrive["maxReceiveCount"].as_i64().expect("a number");
            assert_eq!(receives, i64::from(perezvon_route::LAST_RECEIVE), "{name}");
            assert!(alarmed(target(&redrive["deadLetterTargetArn"])), "{name}: its dead letters cry for nobody");
            let window = &source["MaximumBatchingWindowInSeconds"];
            // What a parameter says may be as high as it lets people set it.
            let highest = || template()["Parameters"][place(window)]["MaxValue"].as_i64().expect("a highest value");
            let window = window.as_i64().unwrap_or_else(highest);
            let visible = queue.property("VisibilityTimeout").as_i64().expect("a number");
            assert!(visible >= 6 * function.timeout() + window, "{name} shows a message again after {visible} s");
        }
    }
    assert_eq!(sources.into_iter().collect::<Vec<_>>(), ["CrmQueue", "EventQueue", "OutboundQueue", "RawQueue"]);
}

/// Whether an alarm looks at this queue, and cries at the first message.
fn alarmed(queue: Resource) -> bool {
    resources("AWS::CloudWatch::Alarm").iter().any(|alarm| {
        alarm.property("MetricName") == "ApproximateNumberOfMessagesVisible"
            && place(&alarm.property("Dimensions")[0]["Value"]) == format!("{}.QueueName", queue.name)
            && alarm.property("Threshold") == 0
            && !alarm.property("AlarmActions").is_null()
    })
}

#[test]
fn a_worker_has_time_for_three_margins() {
    let margin = Times::default().margin_ms(&JobTimes::default());
    for folder in ["crm", "outbound"] {
        assert!(function(folder).timeout() * 1000 >= 3 * margin, "{folder}: less than three times {margin} ms");
    }
}

#[test]
fn every_target_of_the_bus_has_dead_letters() {
    let rules = resources("AWS::Events::Rule");
    assert!(!rules.is_empty());
    for rule in rules {
        for aim in rule.property("Targets").as_array().expect("targets") {
            assert!(alarmed(target(&aim["DeadLetterConfig"]["Arn"])), "{}", rule.name);
        }
    }
}

/// The variables that a function's wiring reads: the names in capitals between the brackets of `env.` calls.
fn read_by(folder: &str) -> BTreeSet<String> {
    let text = tree::text(&format!("functions/{folder}/src/main.rs"));
    let calls = text.split("env.").skip(1).filter_map(|rest| rest.split_once('('));
    let names = calls.filter_map(|(_, rest)| rest.split([',', ')']).next());
    let known = |name: &&str| !name.is_empty() && name.chars().all(|c| c.is_ascii_uppercase() || c == '_');
    names.filter(known).map(str::to_owned).collect()
}

#[test]
fn a_function_is_told_what_it_reads_and_nothing_else() {
    for function in functions() {
        let told = function.resource.property("Environment")["Variables"].as_object().expect("variables");
        let told: BTreeSet<String> = told.keys().cloned().collect();
        assert_eq!(told, read_by(&function.folder), "{}", function.folder);
    }
    // The constants are called as their variables are.
    let config = tree::text("shared/platform/src/config.rs");
    for name in functions().iter().flat_map(|function| read_by(&function.folder)) {
        assert!(config.contains(&format!("pub const {name}: &str = \"{name}\";")), "{name}");
    }
}

#[test]
fn a_variable_means_the_same_everywhere() {
    let mut meanings: BTreeMap<&str, &Value> = BTreeMap::new();
    for function in functions() {
        let told = function.resource.property("Environment")["Variables"].as_object().expect("variables");
        for (name, value) in told {
            assert_eq!(*meanings.entry(name).or_insert(value), value, "{name} in {}", function.folder);
        }
    }
}

#[test]
fn the_tables_are_those_that_one_machine_makes() {
    let main = schema::create_main_table("t").expect("a request");
    let attributes = main.get_attribute_definitions().clone().unwrap_or_default();
    let attributes: BTreeMap<String, String> =
        attributes.iter().map(|it| (it.attribute_name.clone(), it.attribute_type.as_str().to_owned())).collect();
    let table = resource("Table");
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let declared = table.property("AttributeDefinitions").as_array().expect("attributes");
    let declared = declared.iter().map(|it| (text(&it["AttributeName"]), text(&it["AttributeType"])));
    assert_eq!(declared.collect::<BTreeMap<_, _>>(), attributes);

    let key = |schema: &[_]| keys(schema);
    assert_eq!(*table.property("KeySchema"), key(main.get_key_schema().as_deref().unwrap_or_default()));
    let local = main.get_local_secondary_indexes().clone().unwrap_or_default();
    let local = local.iter().map(|it| index(&it.index_name, key(&it.key_schema), it.projection.as_ref()));
    assert_eq!(*table.property("LocalSecondaryIndexes"), local.collect::<Value>());
    let global = main.get_global_secondary_indexes().clone().unwrap_or_default();
    let global = global.iter().map(|it| index(&it.index_name, key(&it.key_schema), it.projection.as_ref()));
    assert_eq!(*table.property("GlobalSecondaryIndexes"), global.collect::<Value>());
    let indexes = template()["Resources"]["QuarantineTable"]["Properties"]["GlobalSecondaryIndexes"].is_null();
    assert!(indexes, "the quarantine has no index");
}

fn keys(schema: &[aws_sdk_dynamodb::types::KeySchemaElement]) -> Value {
    let element = |it: &aws_sdk_dynamodb::types::KeySchemaElement| json!({ "AttributeName": it.attribute_name, "KeyType": it.key_type.as_str() });
    schema.iter().map(element).collect()
}

fn index(name: &str, keys: Value, projection: Option<&aws_sdk_dynamodb::types::Projection>) -> Value {
    let projection = projection.expect("a projection");
    let mut projected = json!({ "ProjectionType": projection.projection_type.as_ref().map(|kind| kind.as_str()) });
    if let Some(attributes) = &projection.non_key_attributes {
        projected["NonKeyAttributes"] = json!(attributes);
    }
    json!({ "IndexName": name, "KeySchema": keys, "Projection": projected })
}

#[test]
fn what_people_trust_us_with_outlives_the_stack() {
    for name in ["Table", "QuarantineTable", "Blobs"] {
        let kept = resource(name);
        assert_eq!(kept.body["DeletionPolicy"], "Retain", "{name}");
        assert_eq!(kept.body["UpdateReplacePolicy"], "Retain", "{name}");
    }
    for table in resources("AWS::DynamoDB::Table") {
        let expiry = table.property("TimeToLiveSpecification");
        assert_eq!(*expiry, json!({ "AttributeName": TTL_ATTRIBUTE, "Enabled": true }), "{}", table.name);
        let recovery = table.property("PointInTimeRecoverySpecification");
        assert_eq!(recovery["PointInTimeRecoveryEnabled"], true, "{}", table.name);
    }
    let public = resource("Blobs").property("PublicAccessBlockConfiguration").as_object().expect("settings");
    assert!(public.len() == 4 && public.values().all(|value| *value == true), "recordings are nobody's business");
}

/// Route keys, each with the function behind it.
fn routes() -> BTreeMap<String, &'static str> {
    let of = |route: &Resource| {
        let aim = place(route.property("Target"));
        let integration = aim.trim_start_matches("integrations/${").trim_end_matches('}').to_owned();
        (route.named("RouteKey"), target(resource(&integration).property("IntegrationUri")).name)
    };
    resources("AWS::ApiGatewayV2::Route").iter().map(of).collect()
}

#[test]
fn hooks_go_to_ingest_and_people_to_api() {
    let expected = [
        ("ANY /api/{proxy+}", "ApiFunction"),
        ("ANY /h/{token}", "IngestFunction"),
        ("ANY /h/{token}/get_number_info", "AnswerFunction"),
        ("ANY /h/{token}/{proxy+}", "IngestFunction"),
        ("GET /", "ApiFunction"),
        ("GET /oauth/callback", "ApiFunction"),
        ("GET /r/{token}", "ApiFunction"),
        ("GET /{file}", "ApiFunction"),
    ];
    assert_eq!(routes(), expected.map(|(key, function)| (key.to_owned(), function)).into());
    let throttled = resource("HttpStage").property("RouteSettings").as_object().expect("settings");
    let hooks = routes().into_keys().filter(|key| key.contains(" /h/"));
    assert_eq!(throttled.keys().cloned().collect::<BTreeSet<_>>(), hooks.collect());
}

#[test]
fn whatever_a_provider_waits_for_goes_to_answer() {
    let asked = PROVIDERS.iter().flat_map(|provider| provider.capabilities.synchronous);
    let wanted: BTreeSet<String> = asked.map(|name| format!("ANY /h/{{token}}/{name}")).collect();
    let routed = routes().into_iter().filter(|(_, function)| *function == "AnswerFunction").map(|(key, _)| key);
    assert_eq!(routed.collect::<BTreeSet<_>>(), wanted);
}

#[test]
fn samples_come_by_a_route_of_the_template() {
    let mut offences = Vec::new();
    for file in tree::files().iter().filter(|file| file.path.starts_with("events/lambda/")) {
        let sample: Value = serde_json::from_str(&file.text).unwrap_or_default();
        let key = sample["routeKey"].as_str();
        offences.extend(key.filter(|key| !routes().contains_key(*key)).map(|key| format!("{}: {key}", file.path)));
    }
    obeyed("samples of HTTP events name a route that there is", offences);
}

#[test]
fn what_only_a_log_says_cries() {
    let words = "the quarantine of a channel is full for today";
    assert!(tree::text("functions/verify/src/quarantine.rs").contains(words));
    let patterns = [
        ("NotTakenIn", "ingest", "{ $.level = \"ERROR\" }".to_owned()),
        ("NotAnswered", "answer", "{ $.level = \"ERROR\" }".to_owned()),
        ("QuarantineFull", "verify", format!("{{ $.message = \"{words}\" }}")),
    ];
    for (name, folder, pattern) in patterns {
        let filter = resource(name);
        assert_eq!(target(filter.property("LogGroupName")).name, function(folder).log().name);
        assert_eq!(filter.named("FilterPattern"), pattern);
        let metric = place(&filter.property("MetricTransformations")[0]["MetricName"]);
        let alarm = resource(&format!("{name}Alarm"));
        assert_eq!((alarm.named("MetricName"), alarm.property("Threshold")), (metric, &json!(0)));
    }
}

#[test]
fn paths_of_requests_are_written_nowhere() {
    let format = resource("HttpStage").property("AccessLogSettings")["Format"].as_str().expect("a format");
    for secret in ["path", "$context.http", "domainName", "requestOverride"] {
        assert!(!format.contains(secret), "{secret}: a token stands in the path");
    }
}

#[test]
fn every_installation_gives_parameters_that_there_are_and_no_secret() {
    let config: toml::Table = tree::text("samconfig.toml").parse().expect("TOML");
    let known = template()["Parameters"].as_object().expect("parameters");
    for name in ["default", "staging", "production"] {
        let deploy = &config[name]["deploy"]["parameters"];
        let given = deploy["parameter_overrides"].as_array().expect("a list");
        for text in given.iter().filter_map(|value| value.as_str()) {
            let (parameter, _) = text.split_once('=').expect("Name=value");
            assert!(known.contains_key(parameter), "{name}: {parameter}");
        }
    }
    assert!(known.iter().all(|(_, it)| it["NoEcho"].is_null()), "a secret parameter would stand in samconfig.toml");
}
