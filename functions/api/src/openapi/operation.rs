//! One operation of the document, put together piece by piece.

use perezvon_platform::link::Role;
use schemars::JsonSchema;
use schemars::generate::{SchemaGenerator, SchemaSettings};
use serde_json::{Map, Value, json};

/// The schemas that the document refers to: of answers as they are written, of bodies as they are read.
pub struct Schemas {
    answers: SchemaGenerator,
    bodies: SchemaGenerator,
}

impl Default for Schemas {
    fn default() -> Self {
        let settings = || SchemaSettings::draft2020_12().with(|it| it.definitions_path = "/components/schemas".into());
        Self {
            answers: settings().for_serialize().into_generator(),
            bodies: settings().for_deserialize().into_generator(),
        }
    }
}

impl Schemas {
    /// What leads to the schema of an answer.
    pub fn answer<T: JsonSchema>(&mut self) -> Value {
        self.answers.subschema_for::<T>().to_value()
    }

    /// What leads to the schema of a body.
    pub fn body<T: JsonSchema>(&mut self) -> Value {
        self.bodies.subschema_for::<T>().to_value()
    }

    /// All of them. One name stands for one schema.
    pub fn all(&mut self) -> Map<String, Value> {
        let mut all = self.answers.take_definitions(true);
        for (name, schema) in self.bodies.take_definitions(true) {
            let known = all.insert(name.clone(), schema.clone());
            assert!(known.is_none_or(|known| known == schema), "two schemas are called {name}");
        }
        all
    }
}

/// An operation.
pub struct Operation(pub Value);

impl Operation {
    /// An operation with its id, the part of the API it belongs to and what it does.
    pub fn new(id: &str, tag: &str, summary: &str) -> Self {
        Self(json!({ "operationId": id, "tags": [tag], "summary": summary, "parameters": [], "responses": {} }))
    }

    /// A parameter as it stands.
    pub fn parameter(mut self, parameter: Value) -> Self {
        if let Some(parameters) = self.0["parameters"].as_array_mut() {
            parameters.push(parameter);
        }
        self
    }

    /// The names in its path.
    pub fn of_names(self, names: &[&str]) -> Self {
        let name = |of: Self, name: &&str| of.parameter(json!({ "$ref": format!("#/components/parameters/{name}") }));
        names.iter().fold(self, name)
    }

    /// A parameter of the query; all are optional.
    pub fn query(self, name: &str, schema: Value, words: &str) -> Self {
        self.parameter(json!({ "name": name, "in": "query", "schema": schema, "description": words }))
    }

    /// A parameter of the query that is a text.
    pub fn text(self, name: &str, words: &str) -> Self {
        self.query(name, json!({ "type": "string" }), words)
    }

    /// Pages of rows.
    pub fn pages(self) -> Self {
        let limit = json!({ "type": "integer", "default": 50, "minimum": 1, "maximum": 200 });
        self.query("limit", limit, "Rows of a page.")
            .text("cursor", "`cursor` of the page before; without it the first.")
            .refuses(400, "A cursor, or another parameter, that cannot be read.")
    }

    /// Takes `Idempotency-Key`.
    pub fn once(self) -> Self {
        let words = "The same request of the same person under the same key is done once, for 24 hours at least.";
        let key = json!({ "name": "Idempotency-Key", "in": "header", "description": words,
            "schema": { "type": "string", "maxLength": 100 } });
        self.parameter(key).refuses(422, "Another request was made under this `Idempotency-Key`.")
    }

    /// Takes a JSON body of this schema.
    pub fn takes(self, schema: Value) -> Self {
        self.takes_media("application/json", schema)
    }

    /// Takes a body of this media type.
    pub fn takes_media(mut self, media_type: &str, schema: Value) -> Self {
        self.0["requestBody"] = json!({ "required": true, "content": { media_type: { "schema": schema } } });
        self
    }

    fn response(mut self, status: u16, response: Value) -> Self {
        self.0["responses"][status.to_string()] = response;
        self
    }

    /// An answer in JSON.
    pub fn answers(self, status: u16, words: &str, schema: Value) -> Self {
        self.response(status, json!({ "description": words, "content": { "application/json": { "schema": schema } } }))
    }

    /// An answer of another kind.
    pub fn answers_media(self, status: u16, words: &str, media_type: &str) -> Self {
        self.response(status, json!({ "description": words, "content": { media_type: {} } }))
    }

    /// An answer without a body.
    pub fn answers_bare(self, status: u16, words: &str) -> Self {
        self.response(status, json!({ "description": words }))
    }

    /// A refusal that means something of its own here.
    pub fn refuses(self, status: u16, words: &str) -> Self {
        let schema = json!({ "$ref": "#/components/schemas/Problem" });
        self.answers(status, words, schema)
    }

    /// A refusal that means what it always does, unless something else was said.
    fn usual(self, status: u16, name: &str) -> Self {
        match self.0["responses"].get(status.to_string()) {
            Some(_) => self,
            None => self.response(status, json!({ "$ref": format!("#/components/responses/{name}") })),
        }
    }

    /// Who may ask; and the refusals that follow from that, from a body and from the store.
    pub fn guarded(mut self, security: Value, roles: Option<Vec<Role>>, method: &str) -> Value {
        let open = security.as_array().is_some_and(Vec::is_empty);
        self.0["security"] = security;
        let limited = roles.is_some();
        if let Some(roles) = roles {
            self.0["x-roles"] = json!(roles);
        }
        let has_body = self.0["requestBody"].is_object();
        let mut it = self;
        if !open {
            it = it.usual(401, "NotLoggedIn").usual(503, "TryAgain");
        }
        if limited || (!open && method != "GET") {
            it = it.usual(403, "NotAllowed");
        }
        if limited {
            it = it.usual(404, "NotFound");
        }
        if has_body {
            it = it.usual(400, "BadRequest").usual(413, "TooLarge");
        }
        it.0
    }
}

/// What the names in paths mean.
const NAMES: &[(&str, &str)] = &[
    ("account", "Id of the account, as the settings name it."),
    ("call", "`id` of a call: channel and entry, `main:MTg0OTk=`."),
    ("channel", "Id of the channel, as the settings name it."),
    ("connection", "`id` of a connection: `crm:main`, `channel:main`."),
    ("conversation", "`id` of a conversation: channel and chat, `ads:u2i-1`."),
    ("employee", "Id of the employee, as the settings name it."),
    ("event", "What the provider appends to its address: `events/call`."),
    ("job", "`id` of a job."),
    ("message", "`message`: the provider's id of it."),
    ("recording", "`id` of a recording."),
    ("request", "`id` of a request in quarantine."),
    ("token", "The sealed part of the address."),
];

/// The names in paths.
pub fn names() -> Value {
    let named = |(name, words): &(&str, &str)| {
        let schema = json!({ "type": "string" });
        let it = json!({ "name": name, "in": "path", "required": true, "description": words, "schema": schema });
        ((*name).to_owned(), it)
    };
    NAMES.iter().map(named).collect::<Map<_, _>>().into()
}

/// Refusals that mean the same everywhere.
pub fn usual_refusals(problem: &Value) -> Value {
    let refusal =
        |words: &str| json!({ "description": words, "content": { "application/json": { "schema": problem } } });
    json!({
        "BadRequest": refusal("The body or a parameter is not what is described here."),
        "NotLoggedIn": refusal("No token, one that has expired, or one of somebody who does not work here any more."),
        "NotAllowed": refusal("The role has no right to this; or a write by cookie that came from another page."),
        "NotFound": refusal("No such thing, or one of another account; or nothing was ever applied as settings."),
        "TooLarge": refusal("The body is larger than 512 KiB (a picture: 4 MiB)."),
        "TryAgain": refusal("The store did not answer: ask again after `Retry-After`."),
    })
}
