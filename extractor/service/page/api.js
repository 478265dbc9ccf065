/** Talking to the service that this page came from. Nothing goes anywhere else. */

/** @typedef {import("./types.js").Result} Result */
/** @typedef {import("./types.js").Service} Service */

/** An answer that is no success, in words for the reader. `status` is 0 where no answer came. */
export class ApiError extends Error {
  /** @param {number} status @param {string} message */
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/** The token is kept in this object, never in the browser's storage. */
export class Api {
  #token = "";
  #askToken;

  /** @param {(refused: boolean) => Promise<string>} askToken  asks the user; "" when they give none */
  constructor(askToken) {
    this.#askToken = askToken;
  }

  /** @returns {Promise<Service>} */
  versions() {
    return this.#call("v1/versions");
  }

  /**
   * The coding of one note, with offsets in UTF-16 code units. Marks the moment at which the answer was there.
   * @param {{text: string, id: string, profile?: string, date_of_service?: string}} note @param {AbortSignal} signal
   * @returns {Promise<Result>}
   */
  code(note, signal) {
    return this.#call("v1/code?offsets=utf16", note, signal);
  }

  /** Keeps one reviewed note (only where the service stores). @param {object} record @returns {Promise<object>} */
  decide(record) {
    return this.#call("v1/decisions", record);
  }

  /**
   * @param {string} path @param {object} [body] @param {AbortSignal} [signal] @returns {Promise<any>}
   */
  async #call(path, body, signal) {
    for (let refused = false; ; refused = true) {
      const response = await this.#send(path, body, signal);
      if (response.status === 401) {
        this.#token = await this.#askToken(refused);
        if (this.#token) continue;
      }
      const text = await response.text();
      if (path.startsWith("v1/code")) performance.mark("facetcode:answer");
      if (!response.ok) throw new ApiError(response.status, problemText(response, text));
      return JSON.parse(text);
    }
  }

  /** @param {string} path @param {object} [body] @param {AbortSignal} [signal] @returns {Promise<Response>} */
  async #send(path, body, signal) {
    /** @type {Record<string, string>} */
    const headers = { Accept: "application/json" };
    if (body) headers["Content-Type"] = "application/json";
    if (this.#token) headers.Authorization = `Bearer ${this.#token}`;
    try {
      return await fetch(path, {
        method: body ? "POST" : "GET",
        headers,
        body: body && JSON.stringify(body),
        signal,
        cache: "no-store",
        credentials: "omit",
      });
    } catch (error) {
      if (error instanceof DOMException && error.name === "AbortError") throw error;
      throw new ApiError(0, "The service does not answer. Is facetcode serve still running?");
    }
  }
}

/** @param {Response} response @param {string} text @returns {string} */
function problemText(response, text) {
  let told = "";
  let request = response.headers.get("X-Request-ID") ?? "";
  try {
    const problem = JSON.parse(text);
    told = [problem.title, problem.detail].filter((part) => typeof part === "string" && part).join(": ");
    if (typeof problem.request_id === "string") request = problem.request_id;
  } catch {
    // not a problem document; its status has to do
  }
  return `${told || "The service could not answer"} (HTTP ${response.status}${request ? `, request ${request}` : ""})`;
}
