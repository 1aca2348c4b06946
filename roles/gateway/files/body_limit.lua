-- Ends a request whose body has no declared length as soon as more than the limit has come; nothing is kept back meanwhile.
-- A body with a Content-Length is judged by its header, before anything of it is read: see haproxy.cfg.
-- In haproxy.cfg: `filter lua.body-limit BYTES`; it sets txn.too_large, and in txn.unreadable what the client is answered.
local BodyLimit = { id = "body-limit", flags = filter.FLT_CFG_FL_HTX }
BodyLimit.__index = BodyLimit

function BodyLimit:new()
    return setmetatable({ limit = self.limit, seen = 0 }, BodyLimit)
end

function BodyLimit:http_headers(txn, message)
    -- All other requests cost nothing more than this look.
    if not message.channel:is_resp() and message:get_headers()["transfer-encoding"] then
        filter.register_data_filter(self, message.channel)
    end
    return filter.CONTINUE
end

function BodyLimit:http_payload(txn, message)
    self.seen = self.seen + message:input()
    if self.seen > self.limit then
        txn:set_var("txn.too_large", true)
        txn:set_var("txn.unreadable", "The request body is larger than the " .. self.limit
            .. " bytes that this gateway accepts (gateway_max_body_bytes).")
        -- CRITICAL: only an error ends the request here. HAProxy 3.0 takes filter.ERROR for "forward it all", and a reply given
        -- with txn:done is cut off behind its headers.
        error("refused: a request body of unknown length is larger than " .. self.limit .. " bytes")
    end
end

core.register_filter("body-limit", BodyLimit, function(declared, arguments)
    declared.limit = tonumber(arguments[1])
    return declared
end)
