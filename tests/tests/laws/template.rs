//! infra/template.yaml as data: its resources and functions, with the short tags of CloudFormation written out.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use saphyr::{LoadableYamlNode as _, ScalarOwned, YamlOwned};
use serde_json::{Map, Value, json};

use crate::tree;

/// The template as JSON: `!Ref x` is `{"Ref": "x"}`, `!Sub x` is `{"Fn::Sub": "x"}`.
pub fn template() -> &'static Value {
    static TEMPLATE: OnceLock<Value> = OnceLock::new();
    TEMPLATE.get_or_init(|| read(&tree::text("infra/template.yaml")))
}

fn read(text: &str) -> Value {
    let documents = YamlOwned::load_from_str(text).expect("YAML");
    json_of(documents.first().expect("a document"))
}

fn json_of(node: &YamlOwned) -> Value {
    match node {
        YamlOwned::Value(ScalarOwned::Null) => Value::Null,
        YamlOwned::Value(ScalarOwned::Boolean(value)) => json!(value),
        YamlOwned::Value(ScalarOwned::Integer(value)) => json!(value),
        YamlOwned::Value(ScalarOwned::FloatingPoint(value)) => json!(value.into_inner()),
        YamlOwned::Value(ScalarOwned::String(value)) => json!(value),
        YamlOwned::Sequence(items) => items.iter().map(json_of).collect(),
        YamlOwned::Mapping(pairs) => {
            let pairs = pairs.iter().map(|(name, value)| (json_of(name), json_of(value)));
            pairs.map(|(name, value)| (name.as_str().expect("a name").to_owned(), value)).collect()
        }
        YamlOwned::Tagged(tag, node) => {
            let name = if tag.suffix == "Ref" { "Ref".to_owned() } else { format!("Fn::{}", tag.suffix) };
            Value::Object(Map::from_iter([(name, json_of(node))]))
        }
        other => panic!("the template needs no {other:?}"),
    }
}

/// A resource of the template.
#[derive(Clone, Copy)]
pub struct Resource {
    pub name: &'static str,
    pub body: &'static Value,
}

impl Resource {
    pub fn property(&self, name: &str) -> &'static Value {
        &self.body["Properties"][name]
    }

    /// A property that names one thing, as [`place`] writes it.
    pub fn named(&self, property: &str) -> String {
        place(self.property(property))
    }
}

/// All resources of this type.
pub fn resources(kind: &str) -> Vec<Resource> {
    let all = template()["Resources"].as_object().expect("resources");
    let named = all.iter().map(|(name, body)| Resource { name, body });
    named.filter(|resource| resource.body["Type"] == kind).collect()
}

/// One resource.
pub fn resource(name: &str) -> Resource {
    let all = template()["Resources"].as_object().expect("resources");
    let (name, body) = all.get_key_value(name).unwrap_or_else(|| panic!("there is no resource {name}"));
    Resource { name, body }
}

/// What a value points at: `Table.Arn` of a GetAtt, `Table` of a Ref, the text of a Sub.
pub fn place(value: &Value) -> String {
    let text = value.as_str().or(value["Fn::GetAtt"].as_str()).or(value["Ref"].as_str()).or(value["Fn::Sub"].as_str());
    text.unwrap_or_else(|| panic!("{value} names nothing")).to_owned()
}

/// The resource that a GetAtt or a Ref names.
pub fn target(value: &Value) -> Resource {
    let place = place(value);
    resource(place.split('.').next().unwrap_or_default())
}

/// A value, or each of a list.
pub fn each(value: &'static Value) -> impl Iterator<Item = &'static Value> {
    value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice).iter()
}

/// A function with the folder it is built from.
pub struct Function {
    pub folder: String,
    pub resource: Resource,
}

impl Function {
    /// Each action that its role allows, with where: `sqs:SendMessage` on `RawQueue.Arn`. What every function needs
    /// to write its log is left out.
    pub fn allowed(&self) -> BTreeMap<String, Vec<String>> {
        let mut allowed: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for statement in self.statements() {
            assert_eq!(statement["Effect"], "Allow", "{}", self.folder);
            let places: Vec<String> = each(&statement["Resource"]).map(place).collect();
            for action in each(&statement["Action"]) {
                let action = action.as_str().expect("an action").to_owned();
                let log = ["logs:CreateLogStream", "logs:PutLogEvents"].contains(&action.as_str());
                if !log || places != [format!("{}.Arn", self.log().name)] {
                    allowed.entry(action).or_default().extend(places.clone());
                }
            }
        }
        allowed
    }

    fn statements(&self) -> Vec<&'static Value> {
        let policies = each(self.role().property("Policies"));
        policies.flat_map(|policy| each(&policy["PolicyDocument"]["Statement"])).collect()
    }

    pub fn role(&self) -> Resource {
        target(self.resource.property("Role"))
    }

    pub fn log(&self) -> Resource {
        target(&self.resource.property("LoggingConfig")["LogGroup"])
    }

    /// In seconds.
    pub fn timeout(&self) -> i64 {
        self.resource.property("Timeout").as_i64().expect("a time-out")
    }

    /// Its queues, each with the properties of the trigger.
    pub fn queues(&self) -> Vec<(Resource, &'static Value)> {
        let events = self.resource.property("Events").as_object().into_iter().flat_map(Map::values);
        let sources = events.filter(|event| event["Type"] == "SQS").map(|event| &event["Properties"]);
        sources.map(|source| (target(&source["Queue"]), source)).collect()
    }
}

/// All functions of the template.
pub fn functions() -> Vec<Function> {
    let found = resources("AWS::Serverless::Function").into_iter().map(|resource| {
        let folder = resource.named("CodeUri");
        let folder = folder.strip_prefix("../functions/").expect("a folder of functions/").to_owned();
        Function { folder, resource }
    });
    found.collect()
}

/// The function of this folder.
pub fn function(folder: &str) -> Function {
    let found = functions().into_iter().find(|function| function.folder == folder);
    found.unwrap_or_else(|| panic!("the template has no {folder}"))
}

#[test]
fn short_tags_are_written_out() {
    let read = read("a: !Ref B\nc: [!GetAtt D.Arn, !Sub \"${E}/*\"]\nf: !If [G, !Ref H, 1]\n");
    let expected = json!({
        "a": { "Ref": "B" },
        "c": [{ "Fn::GetAtt": "D.Arn" }, { "Fn::Sub": "${E}/*" }],
        "f": { "Fn::If": ["G", { "Ref": "H" }, 1] },
    });
    assert_eq!(read, expected);
    let places: Vec<String> = expected["c"].as_array().expect("a list").iter().map(place).collect();
    assert_eq!(places, ["D.Arn", "${E}/*"]);
}
