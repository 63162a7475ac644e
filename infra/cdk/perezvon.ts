// The construct. What is deployed stands in infra/template.yaml and nowhere else: this file includes it, puts the
// built functions into it, and hands out what a team builds on.

import { existsSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { CfnResource, Fn, Stack, Token, Validations } from 'aws-cdk-lib';
import { type CfnTable, type ITable, Table } from 'aws-cdk-lib/aws-dynamodb';
import { type CfnEventBus, EventBus, type IEventBus } from 'aws-cdk-lib/aws-events';
import { Bucket, type CfnBucket, type IBucket } from 'aws-cdk-lib/aws-s3';
import { Asset } from 'aws-cdk-lib/aws-s3-assets';
import { CfnFunction } from 'aws-cdk-lib/aws-sam';
import { type CfnQueue, type IQueue, Queue } from 'aws-cdk-lib/aws-sqs';
import { CfnInclude } from 'aws-cdk-lib/cloudformation-include';
import { Construct } from 'constructs';

/** The parameters of the template, which says more about each. What is left out keeps the template's default. */
export interface PerezvonParameters {
  /** What the binaries were built for. */
  readonly architecture?: 'arm64' | 'x86_64';
  /** Public halves of the keys of hook URLs, separated by commas. Without it every hook is answered with 503. */
  readonly hookPublicKeys?: string;
  /** A domain of yours for the HTTP API; its DNS entry is yours to make. */
  readonly domainName?: string;
  /** The certificate of that domain. */
  readonly certificateArn?: string;
  /** Address under which the world reaches the stack if it is neither the domain nor the API's own. */
  readonly publicUrl?: string;
  /** Concurrent invocations kept for taking webhooks in; 0 keeps none. */
  readonly ingestConcurrency?: number;
  /** Webhooks a second taken in for long. */
  readonly hookRate?: number;
  /** Webhooks taken in at once. */
  readonly hookBurst?: number;
  /** Seconds that webhooks wait for others, to be handled together; 0 to 10. */
  readonly gatherSeconds?: number;
  /** Days after which copies of recordings are removed. */
  readonly recordingDays?: number;
  /** Days that logs are kept. */
  readonly logDays?: number;
  /** An SNS topic that is told about alarms. */
  readonly alarmTopicArn?: string;
  /** Put every fact on the bus into the queue `facts` as well. */
  readonly factsToQueue?: boolean;
  /** Waiting times that differ from the usual ones: `look_ahead_ms=60000,moved_by_ms=150000`. */
  readonly times?: string;
  /** Hosts whose certificates end at `extraRoot`, separated by commas; `.example.ru` stands for all below it. */
  readonly extraRootHosts?: string;
  /** That root's certificate in base64, in one line. It is trusted for these hosts alone. */
  readonly extraRoot?: string;
  /** Hosts that settings may name although they are no public https address; for a sandbox only. */
  readonly allowHosts?: string;
}

export interface PerezvonProps extends PerezvonParameters {
  /** The folder with the built functions: `.aws-sam/build` (`sam build`) or `target/lambda` (`cargo lambda build`). */
  readonly code: string;
}

/** A queue, and where its messages go that cannot be handled. */
export interface QueuePair {
  readonly queue: IQueue;
  readonly dead: IQueue;
}

const TEMPLATE = join(__dirname, 'template.yaml');

/** Conditions that ask whether a parameter is given. */
const ASKS_IF_GIVEN = { HasDomain: 'domainName', HasPublicUrl: 'publicUrl', TellsAlarms: 'alarmTopicArn' } as const;

/** One installation. Its names begin with the name of the stack, so a stack holds one. */
export class Perezvon extends Construct {
  /** Everything else that the template has, by the names in it. */
  readonly template: CfnInclude;
  /** Where people and providers reach it. */
  readonly url: string;
  /** All state: calls, jobs, settings. Look, but let the functions write. */
  readonly table: ITable;
  /** Refused requests. */
  readonly quarantineTable: ITable;
  /** Recordings. */
  readonly blobs: IBucket;
  /** Where facts are told: `source` is `perezvon`, `detail-type` is the fact. */
  readonly bus: IEventBus;
  /** From `ingest` to `verify`. */
  readonly raw: QueuePair;
  /** To `route`. */
  readonly event: QueuePair;
  /** Wake-ups of `crm`. */
  readonly crm: QueuePair;
  /** Wake-ups of `outbound`. */
  readonly outbound: QueuePair;
  /** All facts, for listeners that like to fetch; there with `factsToQueue`. */
  readonly facts?: QueuePair;

  constructor(scope: Construct, id: string, props: PerezvonProps) {
    super(scope, id);
    const { code, ...given } = props;
    this.template = new CfnInclude(this, 'Template', { templateFile: TEMPLATE, parameters: parameters(given) });
    this.countAsGiven(given);
    this.putCode(resolve(code));
    this.acknowledge();

    this.url = this.template.getOutput('Url').value;
    this.table = this.tableNamed('Table');
    this.quarantineTable = this.tableNamed('QuarantineTable');
    this.blobs = Bucket.fromCfnBucket(this.resource<CfnBucket>('Blobs'));
    const bus = this.resource<CfnEventBus>('Bus');
    this.bus = EventBus.fromEventBusAttributes(this, 'Bus', {
      eventBusArn: bus.attrArn,
      eventBusName: bus.ref,
      eventBusPolicy: '',
    });
    this.raw = this.pair('Raw');
    this.event = this.pair('Event');
    this.crm = this.pair('Crm');
    this.outbound = this.pair('Outbound');
    this.facts = props.factsToQueue ? this.factsAreTold() : undefined;
  }

  private resource<R extends CfnResource>(name: string): R {
    return this.template.getResource(name) as R;
  }

  private tableNamed(name: string): ITable {
    const tableArn = this.resource<CfnTable>(name).attrArn;
    return Table.fromTableAttributes(this, name, { tableArn, grantIndexPermissions: true });
  }

  private pair(name: string): QueuePair {
    return { queue: this.queueNamed(`${name}Queue`), dead: this.queueNamed(`${name}Dead`) };
  }

  private queueNamed(name: string): IQueue {
    const queue = this.resource<CfnQueue>(name);
    return Queue.fromQueueAttributes(this, name, { queueArn: queue.attrArn, queueUrl: queue.ref });
  }

  /** A condition must not refer to a resource, and what comes from one (a topic's ARN) is such a reference. */
  private countAsGiven(given: PerezvonParameters): void {
    for (const [condition, name] of Object.entries(ASKS_IF_GIVEN)) {
      if (Token.isUnresolved(given[name])) {
        this.template.getCondition(condition).expression = Fn.conditionNot(Fn.conditionEquals('given', ''));
      }
    }
  }

  /** The template names crates; here each becomes the folder with its binary, which `cdk deploy` brings up. */
  private putCode(folder: string): void {
    for (const found of this.template.node.children) {
      if (!(found instanceof CfnFunction)) continue;
      const name = found.node.id;
      // `sam build` names folders as the template names functions, `cargo lambda build` as the crates are named.
      const places = [name, basename(found.codeUri as string)].map((place) => join(folder, place));
      const path = places.find((place) => existsSync(join(place, 'bootstrap')));
      if (!path) {
        throw new Error(`${name}: there is no ${places.join('/bootstrap and no ')}/bootstrap. ` +
          'Run `sam build` in the project first, and let `code` be its folder .aws-sam/build');
      }
      const asset = new Asset(this, `${name}Code`, { path });
      found.codeUri = { bucket: asset.s3BucketName, key: asset.s3ObjectKey };
    }
  }

  /** The queue of facts is there for certain then, and nobody who refers to it is warned that it may not be. */
  private factsAreTold(): QueuePair {
    const condition = this.template.getCondition('TellsFacts');
    for (const found of this.template.node.children) {
      if (!(found instanceof CfnResource)) continue;
      if (found.cfnOptions.condition === condition) found.cfnOptions.condition = undefined;
    }
    return this.pair('Facts');
  }

  /** What the validation of `cdk synth` says about the template that is meant to be so. */
  private acknowledge(): void {
    const reason = 'An empty default is never used: a condition stands before it.';
    Validations.of(this).acknowledge({ id: 'CloudFormation-Validate::W1030', reason });
    // On the stack, because conditions and outputs have no construct that such a finding could belong to.
    for (const rule of ['W1028', 'W8003', 'W9053']) {
      const reason = 'What a condition says about a parameter that is given here is known beforehand.';
      Validations.of(Stack.of(this)).acknowledge({ id: `CloudFormation-Validate::${rule}`, reason });
    }
  }
}

/** As the template names and writes them. CloudFormation never sees a value that is given, so it is checked here. */
function parameters(given: PerezvonParameters): Record<string, string | number> {
  const template = new CfnInclude(new Stack(), 'Template', { templateFile: TEMPLATE });
  const found: Record<string, string | number> = {};
  for (const [property, value] of Object.entries(given)) {
    if (value === undefined) continue;
    const name = property[0].toUpperCase() + property.slice(1);
    // A text, as a parameter is for CloudFormation whatever its type.
    found[name] = Token.isUnresolved(value) ? value : String(value);
    if (Token.isUnresolved(value)) continue;
    const { allowedValues, allowedPattern, minValue, maxValue } = template.getParameter(name);
    const text = String(value);
    if (
      (allowedValues && !allowedValues.map(String).includes(text)) ||
      (allowedPattern && !new RegExp(allowedPattern).test(text)) ||
      (minValue !== undefined && Number(value) < minValue) ||
      (maxValue !== undefined && Number(value) > maxValue)
    ) {
      const most = maxValue === undefined ? '' : ` and at most ${maxValue}`;
      const wanted = allowedValues?.join(', ') ?? allowedPattern ?? `at least ${minValue}${most}`;
      throw new Error(`${property} is ${JSON.stringify(value)}, but the template wants ${wanted}`);
    }
  }
  return found;
}
