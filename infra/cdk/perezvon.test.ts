// The construct against the template: nothing added, nothing lost, nothing forgotten.

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { App, Stack } from 'aws-cdk-lib';
import { Rule } from 'aws-cdk-lib/aws-events';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Topic } from 'aws-cdk-lib/aws-sns';
import type { CloudAssembly } from 'aws-cdk-lib/cx-api';
import { isMap, isScalar, isSeq, parseDocument } from 'yaml';
import { Perezvon, type PerezvonParameters, type PerezvonProps } from './perezvon';

type Json = any;

/** CloudFormation's YAML as JSON, read without the help of the CDK. */
function plain(node: Json): Json {
  let value: Json = null;
  if (isMap(node)) value = Object.fromEntries(node.items.map(({ key, value }: Json) => [`${key.value}`, plain(value)]));
  else if (isSeq(node)) value = node.items.map(plain);
  else if (isScalar(node)) value = node.value;
  const tag: string = node?.tag ?? '';
  if (!tag.startsWith('!')) return value;
  const name = tag.slice(1);
  return { [['Ref', 'Condition'].includes(name) ? name : `Fn::${name}`]: value };
}

const written = plain(parseDocument(readFileSync('../template.yaml', 'utf8'), { logLevel: 'error' }).contents);
const resources: [string, Json][] = Object.entries(written.Resources);
const functions = resources.filter(([, resource]) => resource.Type === 'AWS::Serverless::Function');

const code = mkdtempSync(join(tmpdir(), 'perezvon-'));
after(() => rmSync(code, { recursive: true }));

/** A folder of functions built, as if by `sam build` or by `cargo lambda build`. */
function built(by: string, folder: (id: string, codeUri: string) => string): string {
  for (const [id, { Properties }] of functions) {
    const place = join(code, by, folder(id, Properties.CodeUri));
    mkdirSync(place, { recursive: true });
    writeFileSync(join(place, 'bootstrap'), id);
  }
  return join(code, by);
}

const sam = built('sam', (id) => id);

type More = (perezvon: Perezvon, stack: Stack) => void;

/** The output of an app with the construct and whatever else. */
function assembly(props: Partial<PerezvonProps>, more: More, builtinCloudFormationValidation: boolean): CloudAssembly {
  const app = new App({ outdir: mkdtempSync(join(code, 'out-')), builtinCloudFormationValidation });
  const stack = new Stack(app, 'perezvon');
  more(new Perezvon(stack, 'Perezvon', { code: sam, ...props }), stack);
  return app.synth();
}

/** What it deploys, without what `cdk bootstrap` wants in there. */
function synthesised(props: Partial<PerezvonProps> = {}, more: More = () => {}): Json {
  const { template } = assembly(props, more, false).getStackByName('perezvon');
  delete template.Parameters.BootstrapVersion;
  delete template.Rules;
  return template;
}

/** The role of a team's own function. */
function reader(stack: Stack): Role {
  return new Role(stack, 'Reader', { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
}

/** What may differ: `Fn::GetAtt` is a text or a list, `DependsOn` has no order, code is where it is. */
function compared(value: Json): Json {
  if (Array.isArray(value)) return value.map(compared);
  if (value === null || typeof value !== 'object') return value;
  const entries = Object.entries(value).filter(([key]) => key !== 'CodeUri');
  return Object.fromEntries(entries.map(([key, inner]) => {
    if (key === 'Fn::GetAtt' && Array.isArray(inner)) return [key, inner.join('.')];
    if (key === 'DependsOn' && Array.isArray(inner)) return [key, inner.slice().sort()];
    return [key, compared(inner)];
  }));
}

/** A value for every property: the compiler refuses this if one is missing. None is the default. */
const everything: Required<PerezvonParameters> = {
  architecture: 'x86_64',
  hookPublicKeys: 'one,two',
  domainName: 'calls.example.com',
  certificateArn: 'arn:aws:acm:eu-central-1:111122223333:certificate/example',
  publicUrl: 'https://cdn.example.com',
  ingestConcurrency: 7,
  hookRate: 20,
  hookBurst: 40,
  gatherSeconds: 3,
  recordingDays: 90,
  times: 'skew_ms=4000',
  logDays: 14,
  alarmTopicArn: 'arn:aws:sns:eu-central-1:111122223333:alarms',
  factsToQueue: true,
  extraRootHosts: 'api.pbx.example',
  extraRoot: 'MIIB',
  allowHosts: 'localhost:8080',
};

test('the stack is the template, with the built functions in it', () => {
  const made = synthesised();
  assert.deepEqual(Object.keys(made.Resources).sort(), resources.map(([id]) => id).sort());
  for (const [id, resource] of resources) {
    assert.deepEqual({ [id]: compared(made.Resources[id]) }, { [id]: compared(resource) });
  }
  assert.deepEqual({ ...compared(made), Resources: {} }, { ...compared(written), Resources: {} });
  assert.ok(functions.length > 5);
  const places = functions.map(([id]) => made.Resources[id].Properties.CodeUri);
  for (const place of places) assert.match(`${place.Key}`, /^[0-9a-f]{64}\.zip$/);
  assert.equal(new Set(places.map((place) => place.Key)).size, functions.length);
});

test('properties are the parameters of the template', () => {
  const declared: [string, Json][] = Object.entries(written.Parameters);
  const named = Object.keys(everything).map((name) => name[0].toUpperCase() + name.slice(1));
  assert.deepEqual(named.sort(), declared.map(([name]) => name).sort());
  for (const [name, { Type, AllowedValues, Default }] of declared) {
    const value = (everything as Json)[name[0].toLowerCase() + name.slice(1)];
    const type = Type === 'Number' ? 'number' : `${AllowedValues}` === 'true,false' ? 'boolean' : 'string';
    assert.equal(typeof value, type, name);
    assert.notEqual(Default, undefined, `${name} has no default, so its property must be required`);
    assert.notEqual(String(value), String(Default), name);
  }
  // The compiler refuses this if a processor is missing or too many.
  const architectures: Record<NonNullable<PerezvonParameters['architecture']>, string> = { arm64: '', x86_64: '' };
  assert.deepEqual(Object.keys(architectures), written.Parameters.Architecture.AllowedValues);
});

test('every property arrives where the template uses its parameter', () => {
  const made = synthesised(everything);
  assert.deepEqual(made.Parameters, {});
  assert.doesNotMatch(JSON.stringify(made), new RegExp(`"Ref":"(${Object.keys(written.Parameters).join('|')})"`));
  for (const value of Object.values(everything)) assert.ok(JSON.stringify(made).includes(`${value}`), `${value}`);
  assert.deepEqual(Object.keys(made.Resources).sort(), resources.map(([id]) => id).sort());
});

test('a value that the template does not allow is refused', () => {
  assert.throws(() => synthesised({ publicUrl: 'https://cdn.example.com/' }), /publicUrl is .* the template wants/);
  assert.throws(() => synthesised({ recordingDays: 0 }), /recordingDays is 0.* at least 1/);
  assert.throws(() => synthesised({ gatherSeconds: 11 }), /gatherSeconds is 11.* at least 0 and at most 10/);
  assert.throws(() => synthesised({ logDays: 2 }), /logDays is 2.* 1, 3, 5/);
});

test('addresses of the same app may be given, though conditions ask for them', () => {
  const app = new App({ outdir: mkdtempSync(join(code, 'out-')), builtinCloudFormationValidation: false });
  const stack = new Stack(app, 'perezvon');
  const { topicArn } = new Topic(stack, 'Alarms');
  const references = { alarmTopicArn: topicArn, publicUrl: topicArn, domainName: topicArn, certificateArn: topicArn };
  new Perezvon(stack, 'Perezvon', { code: sam, ...references });
  const { Conditions, Parameters, Resources } = app.synth().getStackByName('perezvon').template;
  const asked = [...JSON.stringify(Conditions).matchAll(/"Ref":"(\w+)"/g)].map(([, name]) => name);
  for (const name of asked) assert.ok(name in Parameters, `${name} is no parameter`);
  assert.deepEqual(Conditions.TellsAlarms, { 'Fn::Not': [{ 'Fn::Equals': ['given', ''] }] });
  const [actions] = Resources.RawDeadAlarm.Properties.AlarmActions['Fn::If'].slice(1);
  assert.match(actions[0].Ref, /^Alarms/);
});

test('every table, bucket, bus and queue of the template can be built on', () => {
  const handedOut = (perezvon: Perezvon, stack: Stack): string[] => {
    const { table, quarantineTable, blobs, bus, raw, event, crm, outbound, facts } = perezvon;
    const queues = [raw, event, crm, outbound, facts].flatMap((pair) => (pair ? [pair.queue, pair.dead] : []));
    const state = [table.tableArn, quarantineTable.tableArn, blobs.bucketArn, bus.eventBusArn];
    const arns = [...state, ...queues.map((queue) => queue.queueArn)];
    return arns.map((arn) => stack.resolve(arn)['Fn::GetAtt'][0]).sort();
  };
  const type = /^AWS::(DynamoDB::Table|S3::Bucket|Events::EventBus|SQS::Queue)$/;
  const there = resources.filter(([, resource]) => type.test(resource.Type));
  const always = there.filter(([, resource]) => resource.Condition !== 'TellsFacts');
  const ids = (some: [string, Json][]) => some.map(([id]) => id).sort();
  synthesised({ factsToQueue: true }, (...made) => assert.deepEqual(handedOut(...made), ids(there)));
  synthesised({}, (...made) => assert.deepEqual(handedOut(...made), ids(always)));
});

test('a rule on the bus and rights on the table come out as they should', () => {
  const { Resources } = synthesised({ factsToQueue: true }, (perezvon, stack) => {
    const role = reader(stack);
    perezvon.table.grantReadData(role);
    perezvon.facts?.queue.grantConsumeMessages(role);
    const missed = { source: ['perezvon'], detailType: ['CallMissed'] };
    new Rule(stack, 'Missed', { eventBus: perezvon.bus, eventPattern: missed });
    assert.deepEqual(stack.resolve(perezvon.url), written.Outputs.Url.Value);
  });
  const own = Object.entries<Json>(Resources).filter(([id]) => !(id in written.Resources));
  const rule = own.map(([, resource]) => resource).find((resource) => resource.Type === 'AWS::Events::Rule');
  assert.deepEqual(rule.Properties.EventBusName, { Ref: 'Bus' });
  const rights = JSON.stringify(own);
  for (const part of ['["Table","Arn"]', '/index/*', '["FactsQueue","Arn"]']) assert.ok(rights.includes(part), part);
});

test('the validation of `cdk synth` finds nothing, with no property and with all', () => {
  const listens: More = ({ facts }, stack) => void facts?.queue.grantConsumeMessages(reader(stack));
  for (const props of [{}, everything]) {
    const { directory } = assembly(props, listens, true);
    const { pluginReports } = JSON.parse(readFileSync(join(directory, 'validation-report.json'), 'utf8'));
    assert.ok(pluginReports.length > 0);
    for (const { violations } of pluginReports) assert.deepEqual(violations, []);
  }
});

test('the output of `cargo lambda build` is found as well, and a missing one is told', () => {
  const cargo = built('cargo', (_, codeUri) => codeUri.split('/').at(-1) ?? '');
  const keys = (made: Json) => functions.map(([id]) => made.Resources[id].Properties.CodeUri.Key);
  assert.deepEqual(keys(synthesised({ code: cargo })), keys(synthesised()));
  assert.throws(() => synthesised({ code: join(code, 'nowhere') }), /IngestFunction: there is no .*sam build/);
});
