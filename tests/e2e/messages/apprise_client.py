"""Publishes to a topic with apprise, which knows a server but no path: apprise_client.py URL TOPIC KEY."""

import sys
from urllib.parse import urlsplit

from apprise import Apprise, NotifyFormat

url, topic, key = sys.argv[1:]
server = urlsplit(url)
scheme = {"http": "ntfy", "https": "ntfys"}[server.scheme]


def publish(account, text, query="", **how):
    client = Apprise()
    assert client.add(f"{scheme}://{account}@{server.netloc}/{topic}{query}"), query
    return client.notify(body=text, **how)


rich = "?priority=high&xtags=warning,droplet&click=https://linli.cn/notices/1&format=markdown"
assert publish(key, "明早停水", rich, title="Water", body_format=NotifyFormat.MARKDOWN), "by token"
assert publish(f"anybody:{key}", "plain"), "by password"
assert not publish("tk_wrong", "x"), "a wrong key opened the topic"
print("published")
