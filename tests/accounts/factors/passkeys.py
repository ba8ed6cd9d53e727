"""A browser with a passkey: what it asks for, answers and is told."""

OPTIONS, SIGN_IN, STEP_UP, NEW = (
    "/sign-in/passkey/options/",
    "/sign-in/passkey/",
    "/security/passkey/",
    "/enrol/passkey/options/",
)
LATE = "That took too long"
REFUSED = "This passkey was not accepted"


def options(client, path, **data):
    answer = client.post(path, data)
    assert answer.status_code == 200, answer.content
    return answer.json()


def sign_in_with(client, made):
    return client.post(SIGN_IN, {"assertion": made.get(options(client, OPTIONS))})


def is_signed_in(client):
    return client.get("/inbox/").status_code == 200


def page(client, path="/sign-in/"):
    return client.get(path).content.decode()
