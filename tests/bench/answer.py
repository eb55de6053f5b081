"""A server on loopback that answers every request with the same GetCallerIdentity; prints its address. Ended by its starter."""
import asyncio
import socket

BODY = b"""<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>\
<Arn>arn:aws:iam::000000000000:user/bench</Arn><UserId>AIDABENCH</UserId><Account>000000000000</Account>\
</GetCallerIdentityResult><ResponseMetadata><RequestId>01234567-89ab-cdef-0123-456789abcdef</RequestId></ResponseMetadata>\
</GetCallerIdentityResponse>"""
ANSWER = b"HTTP/1.1 200 OK\r\ncontent-type: text/xml\r\ncontent-length: %d\r\n\r\n%s" % (len(BODY), BODY)


class Answer(asyncio.Protocol):
    def __init__(self):
        self.seen = b""

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        """Each whole request has its answer; the clients send small bodies with their length."""
        self.seen += data
        while True:
            head, end, rest = self.seen.partition(b"\r\n\r\n")
            if not end:
                return
            lines = (line.partition(b":") for line in head.split(b"\r\n")[1:])
            length = next((int(value) for name, _, value in lines if name.lower() == b"content-length"), 0)
            if len(rest) < length:
                return
            self.seen = rest[length:]
            self.transport.write(ANSWER)


async def main():
    server = await asyncio.get_running_loop().create_server(Answer, "127.0.0.1", 0, family=socket.AF_INET, backlog=4096)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


asyncio.run(main())
