"""How gunicorn serves the service. Every setting is here with its reason; GUNICORN_CMD_ARGS overrides any of them.

Environment: HOST (127.0.0.1), PORT (8080), WEB_CONCURRENCY (2), FORWARDED_ALLOW_IPS (127.0.0.1,::1).
"""

import os
from pathlib import Path

_host = os.environ.get("HOST", "127.0.0.1")
_port = os.environ.get("PORT", "8080")
_shared_memory = Path("/dev/shm")  # noqa: S108 - gunicorn makes an unnamed file there, so nobody can guess its name.

# ---- Where it listens

# Loopback unless asked otherwise: a service that answers about patients is opened to a network on purpose, not by
# default. An IPv6 address is told from its port by brackets.
bind = f"[{_host}]:{_port}" if ":" in _host else f"{_host}:{_port}"

# Headers such as X-Forwarded-Proto are believed only when they come from these addresses. Behind a gateway on another
# machine, FORWARDED_ALLOW_IPS names that gateway; "*" would let any caller choose its own scheme.
forwarded_allow_ips = os.environ.get("FORWARDED_ALLOW_IPS", "127.0.0.1,::1")

# A header whose name holds an underscore could pass for another one (X_Forwarded_For for X-Forwarded-For), so it is
# dropped.
header_map = "drop"

# ---- Processes and threads

# A calculation keeps the interpreter busy, so cores are used by processes; two also keep one answering while one is
# replaced.
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))

# Threads keep connections of a gateway alive, which the sync worker closes after every answer.
worker_class = "gthread"

# A few threads are enough to read requests while another calculates; more would only wait for the interpreter. A thread
# waits as long as a caller takes to send a body, so a gateway that reads whole requests first has to stand before the
# service.
threads = 4

# Knowledge is compiled once, before the workers start: a file that does not validate stops the start instead of
# restarting workers for ever, and the workers share its memory.
preload_app = True

# Nothing is known to leak, and a restart in the middle of a cohort would only hide it if something did: memory is
# watched from outside. With no limit there is nothing to jitter.
max_requests = 0

# ---- Time

# Under gthread this is not a limit on a request (a view that hangs is never interrupted) but on a worker's silence.
# What a request may cost is bounded in the code, by sizes and counts.
timeout = 30

# A stopping worker finishes what it has begun. 25 seconds is far above the slowest answer, and below the 30 seconds
# after which container platforms kill what has not stopped. Meanwhile a new connection waits and is then reset, so the
# platform must stop sending before it says SIGTERM (in Kubernetes: a short pause in preStop).
graceful_timeout = 25

# Longer than the 60 seconds after which common gateways drop an idle connection, so that the gateway closes first and
# never sends a request into a connection that is just being closed here.
keepalive = 75

# ---- Sizes

# The longest request line there is, an interaction query with two agents, is far below this.
limit_request_line = 2048

# A browser behind two gateways sends about thirty headers.
limit_request_fields = 64

# A bearer token with many scopes reaches several thousand bytes. This is gunicorn's own default, stated because it is
# relied on.
limit_request_field_size = 8190

# ---- Files

# The heartbeat of a worker is a file that is touched every second. On a disk that can block the worker; shared memory
# cannot, and it is writable when the root file system is not. Systems without it (macOS) use their temporary folder.
worker_tmp_dir = str(_shared_memory) if os.access(_shared_memory, os.W_OK) else None

# The control socket would be written to the home directory, which a read-only container does not have. Nobody uses it.
control_socket_disable = True

# ---- Logs

# No access log: a query can name what a patient takes, and the address of the caller can name a ward. The gateway has
# its own.
accesslog = None

# For whoever switches it on all the same (GUNICORN_CMD_ARGS="--access-logfile -"): the path without query, no address,
# no referrer.
access_log_format = '%(t)s "%(m)s %(U)s %(H)s" %(s)s %(B)s %(M)sms'

# Starts, stops and failures of workers go to standard error, where a container platform collects them.
errorlog = "-"
