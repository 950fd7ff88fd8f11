/** How the page asks the service that it came from; the token, where one is needed, stays in this module. */

let token = null;

/** Bring a token with every request from here on. */
export function bring(given) {
  token = given;
}

/** What an address answers: { status, body }. A service that does not answer has status 0. */
export async function ask(path, body) {
  const headers = { Accept: "application/json" };
  if (token !== null) headers.Authorization = `Bearer ${token}`;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  try {
    const answer = await fetch(path, {
      method: body === undefined ? "GET" : "POST",
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      cache: "no-store",
      credentials: "omit",
      redirect: "error",
    });
    return { status: answer.status, body: await answer.json() };
  } catch {
    return { status: 0, body: { error: "The service does not answer.", errors: [] } };
  }
}
