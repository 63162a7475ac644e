//! What each function may do in the cloud: as much as it says it needs, and no secret that is none of its business.

use std::collections::{BTreeMap, BTreeSet};

use crate::template::{Function, function, functions, resource, resources};
use crate::{obeyed, tree};

const READ_SECRET: &str = "secretsmanager:GetSecretValue";

/// What each function says about itself.
const DECLARED: &[(&str, &[&str])] = &[
    ("answer", perezvon_answer::ACTIONS),
    ("api", perezvon_api::ACTIONS),
    ("auto-close", perezvon_auto_close::ACTIONS),
    ("auto-reply", perezvon_auto_reply::ACTIONS),
    ("crm", perezvon_crm::ACTIONS),
    ("ingest", perezvon_ingest::ACTIONS),
    ("outbound", perezvon_outbound::ACTIONS),
    ("route", perezvon_route::ACTIONS),
    ("verify", perezvon_verify::ACTIONS),
    ("wake", perezvon_wake::ACTIONS),
];

#[test]
fn every_function_is_in_the_template_with_a_role_and_a_log_of_its_own() {
    let folders = std::fs::read_dir(tree::at("functions")).expect("a folder");
    let folders = folders.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned());
    let folders: BTreeSet<String> = folders.collect();
    let deployed: BTreeSet<String> = functions().into_iter().map(|function| function.folder).collect();
    assert_eq!(deployed, folders);
    assert_eq!(DECLARED.iter().map(|(folder, _)| (*folder).to_owned()).collect::<BTreeSet<_>>(), folders);
    let of_each = |part: fn(&Function) -> &'static str| functions().iter().map(part).collect::<BTreeSet<_>>().len();
    assert_eq!(of_each(|function| function.role().name), folders.len());
    assert_eq!(of_each(|function| function.log().name), folders.len());
}

#[test]
fn a_policy_allows_what_its_function_says_it_does_and_nothing_else() {
    let mut offences = Vec::new();
    for (folder, declared) in DECLARED {
        let declared: BTreeSet<&str> = declared.iter().copied().collect();
        let allowed = function(folder).allowed();
        let allowed: BTreeSet<&str> = allowed.keys().map(String::as_str).collect();
        let missing = declared.difference(&allowed).map(|action| format!("{folder} is not allowed {action}"));
        let unused = allowed.difference(&declared).map(|action| format!("{folder} does not say that it does {action}"));
        offences.extend(missing.chain(unused));
    }
    obeyed("ACTIONS of a function and its policy in infra/template.yaml are the same", offences);
}

#[test]
fn no_policy_is_for_everything() {
    let mut offences = Vec::new();
    for function in functions() {
        for (action, places) in function.allowed() {
            let wide = action.contains('*') || places.iter().any(|place| place == "*");
            offences.extend(wide.then(|| format!("{}: {action} on {places:?}", function.folder)));
        }
        assert!(
            function.role().property("ManagedPolicyArns").is_null(),
            "{}: a policy of somebody else",
            function.folder
        );
        assert!(function.resource.property("Policies").is_null(), "{}: a policy beside its role", function.folder);
    }
    obeyed("each action by its name, on what it is meant for", offences);
}

#[test]
fn ingest_holds_no_secret_and_sends_to_one_queue() {
    let expected = BTreeMap::from([("sqs:SendMessage".to_owned(), vec!["RawQueue.Arn".to_owned()])]);
    assert_eq!(function("ingest").allowed(), expected);
}

/// Which functions may read secrets whose places contain this.
fn readers(part: &str) -> Vec<String> {
    let reads = |function: &Function| {
        let places = function.allowed().remove(READ_SECRET).unwrap_or_default();
        places.iter().any(|place| place.contains(part))
    };
    functions().into_iter().filter(reads).map(|function| function.folder).collect()
}

#[test]
fn a_secret_is_read_by_whom_it_is_for() {
    assert_eq!(readers(":secret:perezvon/${AWS::StackName}/channel/*"), ["answer", "verify"]);
    assert_eq!(readers(":secret:perezvon/${AWS::StackName}/connection/*.crm+3A*"), ["answer", "crm"]);
    assert_eq!(readers(":secret:perezvon/${AWS::StackName}/connection/*.channel+3A*"), ["outbound"]);
    assert_eq!(readers("LinkKey.Id"), ["api", "crm"]);
    assert_eq!(readers("PersonKey.Id"), ["api"]);
    assert_eq!(readers("HookKey.Id"), ["api"]);
    // The patterns above are all that there are.
    let all: usize = functions().iter().filter_map(|it| it.allowed().remove(READ_SECRET)).map(|it| it.len()).sum();
    assert_eq!(all, 9);
}

#[test]
fn our_own_keys_are_made_by_the_stack_and_kept() {
    let keys = resources("AWS::SecretsManager::Secret");
    assert_eq!(keys.len(), 3);
    for key in keys {
        assert_eq!(key.body["UpdateReplacePolicy"], "Retain", "{}", key.name);
        assert!(key.property("SecretString").is_null(), "{}: nothing secret stands in the template", key.name);
        let made = key.property("GenerateSecretString")["PasswordLength"].as_i64();
        assert!(made.is_some_and(|length| length >= 32) || key.name == "HookKey", "{}", key.name);
    }
    // Its value is brought by `perezvon apply --keys`.
    assert!(resource("HookKey").property("GenerateSecretString").is_null());
}
