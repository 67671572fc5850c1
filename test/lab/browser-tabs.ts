/** Tabs of a real browser that stay open from one page to the next, with cookies, connections and history of their own. */

/** One tab. */
export interface BrowserTab {
  /** Loads a page, whatever its status. @returns the text that it shows */
  go(url: string): Promise<string>;
  /** The text that it shows, in one line. */
  text(): Promise<string>;
  /** Clicks on what a CSS selector finds, and waits for the page that this loads. @returns the text that it shows */
  click(selector: string): Promise<string>;
  /** The button "back". @returns the text of the page before */
  back(): Promise<string>;
  /** Loads the page anew. @returns the text that it shows */
  reload(): Promise<string>;
  /**
   * `fetch` of the page with its cookies and other credentials; of another origin it does not see the answer.
   *
   * @returns status and body, both empty for an answer that it does not see
   */
  fetch(url: string, method: 'GET' | 'POST'): Promise<{ readonly status: number; readonly body: string }>;
}

/** A browser that answers the host `localhost` with the Kerberos ticket of its user. */
export interface TabbedBrowser extends AsyncDisposable {
  open(): Promise<BrowserTab>;
}

/**
 * What `fetch` of a tab runs in the page, a function of the URL and the method: a request that needs no preflight, so that
 * it is sent to any origin.
 */
export const fetchInPage = `async (url, method) => {
  const isOwn = new URL(url, location.href).origin === location.origin;
  const body = method === 'POST' ? 'x' : undefined;
  const response = await fetch(url, { method, body, mode: isOwn ? 'same-origin' : 'no-cors', credentials: 'include' });
  return { status: response.status, body: await response.text() };
}`;

/** What `text` of a tab runs in the page. */
export const textOfPage = 'document.body.innerText.replace(/\\s+/g, " ")';
