"""What the sessions of a page are asked to run."""

from playwright.sync_api import Page

#: Counts what goes over the ports between Python and the sessions.
COUNT_RUNS = """
globalThis.MessageChannelOfPlatform = MessageChannel;
globalThis.runs = [];
globalThis.compiledFor = [];
const { postMessage } = Worker.prototype;
Worker.prototype.postMessage = function (message, ...rest) {
  if (message?.name === 'warmup') compiledFor.push(...(message.payload.shapes ?? []));
  return postMessage.call(this, message, ...rest);
};
globalThis.MessageChannel = class {
  constructor() {
    const [ours, theirs] = [new MessageChannelOfPlatform(), new MessageChannelOfPlatform()];
    const pass = (from, to) => (from.onmessage = ({ data }) => {
      if (data?.type === 'run') runs.push([data.rows, data.length]);
      to.postMessage(data);
    });
    pass(ours.port2, theirs.port1);
    pass(theirs.port1, ours.port2);
    this.port1 = ours.port1;
    this.port2 = theirs.port2;
  }
};
"""


def count_runs(page: Page) -> None:
    """From now on gather the shapes (rows, length) that sessions run for pairs as `runs`, and those
    that they compile for in the background as `compiledFor`."""
    page.evaluate(f"() => {{ {COUNT_RUNS} }}")
