-- One finished call after another, each with an id of its own, as Bitrix24 posts them.
local threads = 0
local sent = 0

function setup(thread)
  threads = threads + 1
  thread:set("thread_id", threads)
end

function init(arguments)
  prefix = arguments[1] .. "." .. thread_id .. "."
  token = arguments[2]
end

function request()
  sent = sent + 1
  local body = "event=ONVOXIMPLANTCALLEND&event_handler_id=975&ts=1773239624"
    .. "&data%5BCALL_ID%5D=" .. prefix .. sent
    .. "&data%5BCALL_TYPE%5D=2&data%5BPHONE_NUMBER%5D=%2B79005550161&data%5BPORTAL_NUMBER%5D=reg133788"
    .. "&data%5BPORTAL_USER_ID%5D=12&data%5BCALL_DURATION%5D=135"
    .. "&data%5BCALL_START_DATE%5D=2026-03-11T17%3A28%3A46%2B03%3A00&data%5BCOST%5D=0&data%5BCOST_CURRENCY%5D=RUB"
    .. "&data%5BCALL_FAILED_CODE%5D=200&data%5BCALL_FAILED_REASON%5D=Success+call&data%5BCRM_ACTIVITY_ID%5D=7953"
    .. "&auth%5Bdomain%5D=portal.example&auth%5Bclient_endpoint%5D=https%3A%2F%2Fportal.example%2Frest%2F"
    .. "&auth%5Bserver_endpoint%5D=https%3A%2F%2Foauth.bitrix.info%2Frest%2F"
    .. "&auth%5Bmember_id%5D=0123456789abcdef0123456789abcdef&auth%5Bapplication_token%5D=" .. token
  return wrk.format("POST", nil, {["Content-Type"] = "application/x-www-form-urlencoded"}, body)
end

function done(summary, latency)
  io.write(string.format(
    '\nRESULT {"requests": %d, "seconds": %.6f, "p50_ms": %.3f, "p99_ms": %.3f, "errors": %d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.status + summary.errors.timeout))
end
