"""A push service and a webhook receiver, with other people's libraries: http-ece decrypts, cryptography checks VAPID,
standardwebhooks verifies. What it has seen is at /seen; the webhook's secret is posted to /secret."""

import base64
import json
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import http_ece
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from standardwebhooks.webhooks import Webhook

AUTH = b"0123456789abcdef"
KEY = ec.generate_private_key(ec.SECP256R1())
POINT = KEY.public_key().public_bytes(
    serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
)
SEEN = []
SECRET = []


def encode(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def decode(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def vapid(header):
    """The claims of a token that its own key has signed (RFC 8292)."""
    parts = dict(part.strip().split("=", 1) for part in header.removeprefix("vapid ").split(","))
    signed, signature = parts["t"].rsplit(".", 1)
    raw = decode(signature)
    pair = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
    public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), decode(parts["k"]))
    public.verify(pair, signed.encode(), ec.ECDSA(hashes.SHA256()))
    return json.loads(decode(signed.split(".")[1]))


class Handler(BaseHTTPRequestHandler):
    def answer(self, status, content=b""):
        self.send_response(status)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def do_GET(self):
        self.answer(200, json.dumps(SEEN).encode())

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length", "0")))
        if self.path == "/secret":
            SECRET.append(body.decode())
            return self.answer(204)
        if self.path == "/hook":
            content = Webhook(SECRET[-1]).verify(body, dict(self.headers))
            SEEN.append({"webhook": content})
            return self.answer(204)
        claims = vapid(self.headers["authorization"])
        assert claims["aud"] == f"http://{self.headers['host']}", claims
        assert 0 < claims["exp"] - time.time() <= 86_400, claims
        text = http_ece.decrypt(body, private_key=KEY, auth_secret=AUTH, version="aes128gcm")
        SEEN.append({"push": json.loads(text), "ttl": self.headers["ttl"], "sub": claims["sub"]})
        self.answer(201)

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    keys = json.dumps({"p256dh": encode(POINT), "auth": encode(AUTH)})
    print(f"receiver is ready: http://127.0.0.1:{server.server_port} {keys}", flush=True)
    server.serve_forever()
