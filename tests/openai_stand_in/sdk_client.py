"""A client of the stand-in server, and a question to it."""

from openai import DefaultHttpxClient, OpenAI

ASKED = [{"role": "user", "content": "Where is my parcel 48213? It was to come on Monday."}]


def connected(server, key="sk-a-key", **more):
    # Certificates take longer to read than all that a test asks, and nothing here is encrypted.
    options = {"http_client": DefaultHttpxClient(verify=False), "max_retries": 0, **more}
    return OpenAI(base_url=server.base_url, api_key=key, **options)


def asked(client, messages=ASKED, **more):
    return client.chat.completions.create(model="m", messages=messages, **more)
