// A phone in a browser: JsSIP over a WebSocket. It takes its orders from the page's server, one at a
// time, and tells it what happens and what it hears (16-bit samples at 8 kHz).
import JsSIP from 'jssip';

const RATE_HZ = 8000;
const settings = Object.fromEntries(new URLSearchParams(location.search));
const audio = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
const call_options = {
	mediaConstraints: { audio, video: settings.video === 'yes' },
	pcConfig: { iceServers: [] },
};
let session = null;
let listening = false;

function tell(type, more = {}) {
	fetch('/event', { method: 'POST', body: JSON.stringify({ type, ...more }) });
}

// What is heard is resampled by the audio context and sent as it comes.
function listen(stream) {
	if (listening)
		return;
	listening = true;
	document.getElementById('ear').srcObject = stream;
	const context = new AudioContext({ sampleRate: RATE_HZ });
	const tap = context.createScriptProcessor(1024, 1, 1);
	tap.onaudioprocess = (event) => {
		const heard = event.inputBuffer.getChannelData(0);
		fetch('/heard', { method: 'POST', body: Int16Array.from(heard, (x) => x * 32767) });
	};
	context.createMediaStreamSource(stream).connect(tap);
	tap.connect(context.destination);
}

function watch(connection) {
	connection.addEventListener('track', (event) => listen(event.streams[0]));
	connection.addEventListener('iceconnectionstatechange',
		() => tell('ice', { state: connection.iceConnectionState }));
	connection.addEventListener('connectionstatechange',
		() => tell('connection', { state: connection.connectionState }));
}

function on_session({ session: fresh, originator }) {
	session = fresh;
	listening = false;
	fresh.on('peerconnection', ({ peerconnection }) => watch(peerconnection));
	if (fresh.connection)
		watch(fresh.connection);
	fresh.on('confirmed', () => tell('confirmed'));
	fresh.on('ended', (end) => tell('ended', { cause: end.cause }));
	fresh.on('failed', (end) => tell('failed', {
		cause: end.cause,
		status: end.message && end.message.status_code,
		warning: end.message && end.message.getHeader && end.message.getHeader('Warning'),
	}));
	tell('session', { originator });
	if (originator === 'remote')
		fresh.answer(call_options);
}

async function stats() {
	const rows = [];
	if (session && session.connection)
		(await session.connection.getStats()).forEach((row) => rows.push(row));
	return rows;
}

const orders = {
	register: () => agent.register(),
	call: ({ target }) => agent.call(target, call_options),
	hangup: () => session.terminate(),
	hold: () => session.hold(),
	unhold: () => session.unhold(),
	restart: () => session.renegotiate({ rtcOfferConstraints: { iceRestart: true } }),
	stats: async () => tell('stats', { rows: await stats() }),
	local: () => tell('local', { sdp: session.connection.localDescription.sdp }),
	remote: () => tell('remote', { sdp: session.connection.remoteDescription.sdp }),
};

async function obey() {
	for (;;) {
		const order = await (await fetch('/order')).json();
		try {
			if (order.word)
				await orders[order.word](order);
		} catch (error) {
			tell('error', { text: `${order.word}: ${error}` });
		}
	}
}

const agent = new JsSIP.UA({
	sockets: [new JsSIP.WebSocketInterface(settings.socket)],
	uri: settings.uri,
	authorization_user: settings.user,
	password: settings.password,
	register: true,
	register_expires: 120,
	session_timers: false,
});
agent.on('connected', () => tell('connected'));
agent.on('disconnected', (end) => tell('disconnected', { code: end && end.code }));
agent.on('registered', () => tell('registered'));
agent.on('registrationFailed', (end) => tell('unregistered', { cause: end.cause }));
agent.on('newRTCSession', on_session);
window.addEventListener('error', (event) => tell('error', { text: event.message }));
agent.start();
obey();
