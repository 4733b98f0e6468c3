// How a client introduces itself, and leaves.
#include "server/commands/acl_denial.h"
#include "server/commands/acl_users.h"
#include "server/commands/arguments.h"
#include "server/commands/handlers.h"
#include "server/commands/subscriptions.h"

namespace sluice::commands {
namespace {

constexpr std::string_view kWrongPassword = "-WRONGPASS invalid username-password pair or user is disabled.";

bool Authenticate(Context& ctx, std::string_view name, std::string_view password) {
  if (auto user = ctx.host.users().Authenticate(name, password)) {
    ctx.session.user = std::move(user);
    ctx.session.authenticated = true;
    return true;
  }
  acl::RememberWrongPassword(ctx.host.users().log(), ctx.session, ctx.arg(0), name, ctx.now);
  ctx.reply.Error(kWrongPassword);
  return false;
}

// A name that CLIENT LIST can show: no spaces, nothing unprintable.
bool ValidName(std::string_view name) {
  for (char c : name) {
    if (c < '!' || c > '~') return false;
  }
  return true;
}

}  // namespace

bool SetClientName(Context& ctx, std::string_view name) {
  if (!ValidName(name)) {
    ctx.reply.Error("Client names cannot contain spaces, newlines or special characters.");
    return false;
  }
  ctx.session.name = name;
  return true;
}

void Ping(Context& ctx) {
  if (ctx.argc() > 2) return ctx.reply.Error(errors::WrongArity("ping"));
  if (ctx.session.subscriptions && ctx.reply.version() == protocol::Version::kResp2) {
    // Where messages may come at any time, a reply must look like one of them.
    ctx.reply.Array(2);
    ctx.reply.Bulk("pong");
    return ctx.reply.Bulk(ctx.argc() == 2 ? ctx.arg(1) : "");
  }
  if (ctx.argc() == 2) return ctx.reply.Bulk(ctx.arg(1));
  ctx.reply.Simple("PONG");
}

void Echo(Context& ctx) {
  ctx.reply.Bulk(ctx.arg(1));
}

void Hello(Context& ctx) {
  protocol::Version version = ctx.session.version;
  size_t i = 1;
  if (ctx.argc() > 1) {
    const auto number = ParseInteger(ctx.arg(i++));
    if (!number) return ctx.reply.Error("Protocol version is not an integer or out of range");
    if (*number != 2 && *number != 3) return ctx.reply.Error("-NOPROTO unsupported protocol version");
    version = static_cast<protocol::Version>(*number);
  }
  std::optional<std::string_view> name;
  for (; i < ctx.argc(); ++i) {
    const size_t more = ctx.argc() - 1 - i;
    if (IsWord(ctx.arg(i), "AUTH") && more >= 2) {
      if (!Authenticate(ctx, ctx.arg(i + 1), ctx.arg(i + 2))) return;
      i += 2;
    } else if (IsWord(ctx.arg(i), "SETNAME") && more >= 1) {
      name = ctx.arg(++i);
    } else {
      return ctx.reply.Error(errors::Concat({"Syntax error in HELLO option '", ctx.arg(i), "'"}));
    }
  }
  if (!ctx.session.authenticated) {
    return ctx.reply.Error(
        "-NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> "
        "AUTH <user> "
        "<pass> option can be used to authenticate the client and select the RESP protocol version at the "
        "same time");
  }
  if (name && !SetClientName(ctx, *name)) return;
  ctx.session.version = version;
  ctx.reply.set_version(version);
  ctx.reply.Map(7);
  ctx.reply.Bulk("server"), ctx.reply.Bulk("redis");
  ctx.reply.Bulk("version"), ctx.reply.Bulk("7.4.0");
  ctx.reply.Bulk("proto"), ctx.reply.Integer(static_cast<int64_t>(version));
  ctx.reply.Bulk("id"), ctx.reply.Integer(static_cast<int64_t>(ctx.session.id));
  ctx.reply.Bulk("mode"), ctx.reply.Bulk("standalone");
  ctx.reply.Bulk("role"), ctx.reply.Bulk("master");
  ctx.reply.Bulk("modules"), ctx.reply.Array(0);
}

void Auth(Context& ctx) {
  if (ctx.argc() > 3) return ctx.reply.Error(errors::kSyntax);
  if (ctx.argc() == 2 && ctx.host.users().default_user()->nopass()) {
    return ctx.reply.Error(
        "AUTH <password> called without any password configured for the default user. Are you sure your "
        "configuration "
        "is correct?");
  }
  const std::string_view user = ctx.argc() == 3 ? ctx.arg(1) : acl::kDefaultUser;
  if (Authenticate(ctx, user, ctx.arg(ctx.argc() - 1))) ctx.reply.Ok();
}

void Quit(Context& ctx) {
  ctx.reply.Ok();
  ctx.session.close = true;
}

void Reset(Context& ctx) {
  ctx.session.db = 0;
  ctx.session.name.clear();
  ctx.session.transaction.reset();
  ctx.Forget();
  ctx.session.replies_off = ctx.session.no_evict = ctx.session.no_touch = false;
  ctx.session.replies_skipped = 0;
  ctx.host.users().Greet(ctx.session);
  ctx.session.version = protocol::Version::kResp2;
  ctx.reply.set_version(ctx.session.version);
  ctx.reply.Simple("RESET");
}

}  // namespace sluice::commands
