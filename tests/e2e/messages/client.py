"""Publishes to a topic and polls it with python-ntfy: client.py URL TOPIC KEY. The topic is empty before."""

import datetime
import sys

from python_ntfy import MessagePriority, MessageSendError, NtfyClient, ViewAction
from python_ntfy._exceptions import MessageReceiveError

url, topic, key = sys.argv[1:]
by_token = NtfyClient(topic=topic, server=url, auth=key)
by_password = NtfyClient(topic=topic, server=url, auth=("anybody", key))

opens = ViewAction("Open", "https://linli.cn/notices/1", clear=True)
sent = by_token.send("明早停水", title="Water", priority=MessagePriority.HIGH, tags=["droplet"], actions=[opens])
assert sent["event"] == "message" and sent["topic"] == topic, sent
by_password.send("plain")
in_an_hour = datetime.datetime.now() + datetime.timedelta(hours=1)
by_token.send("later", schedule=in_an_hour)

found = {line["message"]: line for line in by_password.get_cached_messages()}
assert set(found) == {"明早停水", "plain"}, found
water = found["明早停水"]
assert water["id"] == sent["id"] and water["title"] == "Water", water
assert water["priority"] == 4 and water["tags"] == ["droplet"], water
assert water["actions"][0]["url"] == "https://linli.cn/notices/1" and water["actions"][0]["clear"] is True, water
assert by_token.get_cached_messages(since="latest")[0]["message"] in found
assert "later" in [line["message"] for line in by_token.get_cached_messages(scheduled=True)]

for ask in (lambda client: client.send("x"), lambda client: client.get_cached_messages()):
    try:
        ask(NtfyClient(topic=topic, server=url, auth="tk_wrong"))
    except (MessageSendError, MessageReceiveError) as error:
        assert "401" in error.message, error.message
    else:
        raise AssertionError("a wrong key opened the topic")
print("published and polled")
