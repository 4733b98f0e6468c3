// DEBUG: for tests of clients and of this server. Nobody may use it unless enable-debug-command says so.
#include <cstdio>

#include "server/commands/arguments.h"
#include "server/commands/handlers.h"
#include "server/commands/object_encoding.h"

namespace sluice::commands {
namespace {

bool Allowed(Context& ctx) {
  if (ctx.host.settings().debug_commands) return true;
  ctx.reply.Error(
      "DEBUG command not allowed. If the enable-debug-command option is set to \"local\", you can run it "
      "from a local connection, otherwise you need to set this option in the configuration file, and then "
      "restart the server.");
  return false;
}

}  // namespace

void DebugSleep(Context& ctx) {
  if (!Allowed(ctx)) return;
  const auto seconds = ParseDouble(ctx.arg(2));
  if (!seconds || *seconds < 0 || *seconds > 3600) return ctx.reply.Error("value is not a valid float");
  ctx.host.Sleep(*seconds);
  ctx.reply.Ok();
}

// Equal on two servers that applied the same log.
void DebugDigest(Context& ctx) {
  if (!Allowed(ctx)) return;
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(ctx.engine.StateHash()));
  ctx.reply.Simple(text);
}

void DebugError(Context& ctx) {
  if (Allowed(ctx)) ctx.reply.Error(errors::Concat({"-", ctx.arg(2)}));
}

void DebugLog(Context& ctx) {
  if (!Allowed(ctx)) return;
  ctx.host.Log(errors::Concat({"DEBUG LOG: ", ctx.arg(2)}));
  ctx.reply.Ok();
}

void DebugObject(Context& ctx) {
  if (!Allowed(ctx)) return;
  const engine::Object* object = ctx.Find(ctx.arg(2));
  if (object == nullptr) return ctx.reply.Error(errors::kNoSuchKey);
  char text[128];
  std::snprintf(text, sizeof text, "Value at:0x%llx refcount:1 encoding:%s",
                static_cast<unsigned long long>(object->id), std::string(EncodingOf(*object)).c_str());
  ctx.reply.Simple(text);
}

// The same examples that Redis gives, so that a client's tests find what they know.
void DebugProtocol(Context& ctx) {
  if (!Allowed(ctx)) return;
  const std::string type = ToLower(ctx.arg(2));
  protocol::ReplyWriter& reply = ctx.reply;
  const bool resp3 = reply.version() == protocol::Version::kResp3;
  if (type == "string") {
    reply.Bulk("Hello World");
  } else if (type == "integer") {
    reply.Integer(12345);
  } else if (type == "double") {
    reply.Double(3.141);
  } else if (type == "bignum") {
    reply.BigNumber("1234567999999999999999999999999999999");
  } else if (type == "null") {
    reply.Null();
  } else if (type == "array") {
    reply.Array(3);
    for (int64_t i = 0; i < 3; ++i) reply.Integer(i);
  } else if (type == "set") {
    reply.Set(3);
    for (int64_t i = 0; i < 3; ++i) reply.Integer(i);
  } else if (type == "map") {
    reply.Map(3);
    for (int64_t i = 0; i < 3; ++i) reply.Integer(i), reply.Boolean(i == 1);
  } else if (type == "attrib") {
    if (resp3) reply.Raw("|1\r\n$14\r\nkey-popularity\r\n*2\r\n$7\r\nkey:123\r\n:90\r\n");
    reply.Bulk("Some real reply following the attribute");
  } else if (type == "push") {
    if (!resp3) return reply.Error("RESP2 is not supported by this command");
    reply.Push(2);
    reply.Bulk("server-cpu-usage"), reply.Integer(42);
    reply.Bulk("Some real reply following the push reply");
  } else if (type == "verbatim") {
    reply.Verbatim("txt", "This is a verbatim\nstring");
  } else if (type == "true" || type == "false") {
    reply.Boolean(type == "true");
  } else {
    reply.Error(
        "Wrong protocol type name. Please use one of the following: "
        "string|integer|double|bignum|null|array|set|map|attrib|push|verbatim|true|false");
  }
}

}  // namespace sluice::commands
