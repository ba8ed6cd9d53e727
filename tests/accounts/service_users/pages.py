"""The pages about Service Users as tests open and read them."""

WHY = {"reason": "A leaked secret."}
NEW = "/service-users/new/"


def page(name: str = "treasury-bot", act: str = "") -> str:
    return f"/service-users/{name}/{act + '/' if act else ''}"


def text_of(answer) -> str:
    return " ".join(answer.content.decode().split())


def ask(client, member, sign_in, form):
    sign_in(client, member)
    return client.post(NEW, form)
