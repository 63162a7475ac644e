// An app with one installation, to deploy as it is or to begin one's own with.

import { App, Stack } from 'aws-cdk-lib';
import { Perezvon } from './perezvon';

const app = new App();
const stack = new Stack(app, 'perezvon');
new Perezvon(stack, 'Perezvon', {
  code: app.node.tryGetContext('code') ?? '../../.aws-sam/build',
});
