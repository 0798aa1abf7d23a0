// Every field: hand it to the function, give back its value, or its error under the name it has on every surface.
import { util } from '@aws-appsync/utils';

export function request(ctx) {
  const { arguments: args, identity, info } = ctx;
  const { fieldName, parentTypeName, selectionSetList } = info;
  return {
    operation: 'Invoke',
    payload: { arguments: args, identity, info: { fieldName, parentTypeName, selectionSetList } },
  };
}

export function response(ctx) {
  if (ctx.error) {
    util.error('Something went wrong inside the server. Try again, under the same idempotencyKey.', 'InternalError');
  }
  const failed = ctx.result.error;
  if (failed) {
    util.error(failed.message, failed.type, null, { code: failed.type, faults: failed.faults });
  }
  return ctx.result.value;
}
