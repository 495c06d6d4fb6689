// The other end of a client's WebSockets: hears what it sends, says what a test wants.
export class FakeServer {
  connections = [];
  heard = [];

  constructor() {
    const server = this;
    this.WebSocket = class {
      onopen = null;
      onmessage = null;
      onclose = null;
      onerror = null;
      isClosed = false;

      constructor(url, protocol) {
        this.url = url;
        this.protocol = protocol;
        server.connections.push(this);
      }

      send(text) {
        server.heard.push(JSON.parse(text));
      }

      close() {
        this.isClosed = true;
      }
    };
  }

  get connection() {
    return this.connections.at(-1);
  }

  accept() {
    this.heard = [];
    this.connection.onopen?.({});
  }

  say(message) {
    this.connection.onmessage?.({ data: JSON.stringify(message) });
  }

  end(code) {
    this.connection.isClosed = true;
    this.connection.onclose?.({ code });
  }
}
