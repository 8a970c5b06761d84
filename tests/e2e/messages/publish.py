"""Publishes to a topic with ntfy-api, by headers and as JSON: publish.py URL TOPIC KEY."""

import sys

from ntfy_api import Message, NtfyPublisher

url, topic, key = sys.argv[1:]
by_token = NtfyPublisher(url, bearer=key)
by_password = NtfyPublisher(url, basic=("anybody", key))
first = by_token.publish(Message(topic=topic, message="by headers", title="Title", priority=4, tags=["warning"]))
second = by_password.publish_json({"topic": topic, "message": "as json", "title": "Title"})
for response in (first, second):
    assert response.status_code == 200, response.text
    assert response.json()["event"] == "message", response.text
refused = NtfyPublisher(url, bearer="tk_wrong").publish(Message(topic=topic, message="x"))
assert refused.status_code == 401 and refused.json()["code"] == 40101, refused.text
print("published")
