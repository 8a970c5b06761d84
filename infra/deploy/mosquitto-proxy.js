// Turns the questions of mosquitto-go-auth into those of the identity function.
// The plugin's `acc`: 1 read (a delivery), 2 write, 3 both, 4 subscribe. A delivery follows a subscription that was
// allowed, so it is asked as the subscription of that topic.
const WRITE = 2;
const BOTH = 3;

async function pass(request, path, question) {
  const answer = await request.subrequest(path, { method: 'POST', body: JSON.stringify(question) });
  request.headersOut['Content-Type'] = 'application/json';
  request.return(answer.status, answer.responseText);
}

async function authentication(request) {
  const asked = JSON.parse(request.requestText);
  await pass(request, '/identity/authentication', {
    clientid: asked.clientid, username: asked.username, password: asked.password, peerhost: '',
  });
}

async function authorization(request) {
  const asked = JSON.parse(request.requestText);
  const action = asked.acc === WRITE || asked.acc === BOTH ? 'publish' : 'subscribe';
  await pass(request, '/identity/authorization', {
    clientid: asked.clientid, username: asked.username, action, topic: asked.topic, qos: 1, retain: false,
  });
}

export default { authentication, authorization };
