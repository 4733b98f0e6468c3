// CLIENT: who is connected.
#include <algorithm>
#include <vector>

#include "server/commands/acl_users.h"
#include "server/commands/arguments.h"
#include "server/commands/client_line.h"
#include "server/commands/command.h"
#include "server/commands/handlers.h"
#include "server/commands/subscriptions.h"

namespace sluice::commands {

bool SetClientName(Context& ctx, std::string_view name);  // connection.cc

namespace {

std::string Number(uint64_t value) {
  return std::to_string(value);
}

// A letter for each thing that is special about a client, in Redis's order.
std::string Flags(const Session& session) {
  std::string flags;
  if (session.monitor) flags += 'O';
  if (session.subscriptions) flags += 'P';
  if (session.transaction) flags += 'x';
  if (session.waits()) flags += 'b';
  if (session.watch_broken) flags += 'd';
  if (session.close) flags += 'c';
  if (session.is_unix) flags += 'U';
  if (session.no_evict) flags += 'e';
  if (session.no_touch) flags += 'T';
  return flags.empty() ? "N" : flags;
}

// One line of CLIENT LIST, without its end. Fields that have no meaning here have the value that says so in
// Redis.
std::string Describe(const Session& session, Time now) {
  auto seconds = [&](uint64_t since_ms) {
    return now.unix_ms() > since_ms ? (now.unix_ms() - since_ms) / 1000 : 0;
  };
  const std::string_view command = session.last_command == nullptr ? "NULL" : session.last_command->name;
  const SessionSubscriptions* own = session.subscriptions.get();
  auto subscribed = [&](ChannelKind kind) { return Number(own == nullptr ? 0 : own->count(kind)); };
  return errors::Concat({
      "id=",
      Number(session.id),
      " addr=",
      session.peer,
      " laddr=",
      session.local,
      " fd=",
      std::to_string(session.fd),
      " name=",
      session.name,
      " age=",
      Number(seconds(session.connected_ms)),
      " idle=",
      Number(seconds(session.active_ms)),
      " flags=",
      Flags(session),
      " db=",
      Number(session.db),
      " sub=",
      subscribed(ChannelKind::kChannel),
      " psub=",
      subscribed(ChannelKind::kPattern),
      " ssub=",
      subscribed(ChannelKind::kShard),
      " multi=",
      session.transaction ? Number(session.transaction->requests.size()) : "-1",
      " watch=",
      Number(session.watched.size()),
      " qbuf=",
      Number(session.query_buffer),
      " qbuf-free=0 argv-mem=0 multi-mem=",
      Number(session.transaction ? session.transaction->bytes : 0),
      " rbs=0 rbp=0 obl=",
      Number(session.output.bytes().size()),
      " oll=",
      Number(session.output.pieces()),
      " omem=",
      Number(session.output.size() + session.writing_bytes),
      " tot-mem=",
      Number(session.memory_bytes()),
      " events=r cmd=",
      command,
      " user=",
      session.user->name(),
      " redir=-1 resp=",
      session.version == protocol::Version::kResp3 ? "3" : "2",
      " lib-name=",
      session.lib_name,
      " lib-ver=",
      session.lib_version,
      " tot-net-in=",
      Number(session.input_bytes),
      " tot-net-out=",
      Number(session.output_bytes),
      " tot-cmds=",
      Number(session.commands),
  });
}

// Which sessions CLIENT LIST and CLIENT KILL mean.
struct Filter {
  std::vector<uint64_t> ids = {};  // empty: any
  std::string_view address = {};
  std::string_view local = {};
  std::string_view user = {};
  std::string_view type = {};
  std::optional<uint64_t> min_age_s = {};
  bool skip_me = true;

  bool Matches(const Session& session, const Session& caller, Time now) const {
    if (!ids.empty() && std::find(ids.begin(), ids.end(), session.id) == ids.end()) return false;
    if (!address.empty() && address != session.peer) return false;
    if (!local.empty() && local != session.local) return false;
    if (!user.empty() && user != session.user->name()) return false;
    // There are no replicas and no primary.
    if (!type.empty() && !IsWord(type, session.subscriptions ? "PUBSUB" : "NORMAL")) return false;
    if (min_age_s && now.unix_ms() < session.connected_ms + *min_age_s * 1000) return false;
    return !(skip_me && session.id == caller.id);
  }
};

bool KnownType(Context& ctx, std::string_view type) {
  for (std::string_view known : {"NORMAL", "MASTER", "SLAVE", "REPLICA", "PUBSUB"}) {
    if (IsWord(type, known)) return true;
  }
  ctx.reply.Error(errors::Concat({"Unknown client type '", type, "'"}));
  return false;
}

// The form with filters, from argument 2 on. nullopt: the error is replied.
std::optional<Filter> ParseKillFilter(Context& ctx) {
  Filter filter;
  for (size_t i = 2; i < ctx.argc(); i += 2) {
    if (i + 1 >= ctx.argc()) return ctx.reply.Error(errors::kSyntax), std::nullopt;
    const std::string_view word = ctx.arg(i);
    const std::string_view value = ctx.arg(i + 1);
    if (IsWord(word, "ID")) {
      const auto id = ParseInteger(value);
      if (!id || *id < 1) return ctx.reply.Error("client-id should be greater than 0"), std::nullopt;
      filter.ids.push_back(static_cast<uint64_t>(*id));
    } else if (IsWord(word, "ADDR")) {
      filter.address = value;
    } else if (IsWord(word, "LADDR")) {
      filter.local = value;
    } else if (IsWord(word, "USER")) {
      if (ctx.host.users().Find(value) == nullptr) {
        ctx.reply.Error(errors::Concat({"No such user '", value, "'"}));
        return std::nullopt;
      }
      filter.user = value;
    } else if (IsWord(word, "TYPE")) {
      if (!KnownType(ctx, value)) return std::nullopt;
      filter.type = value;
    } else if (IsWord(word, "MAXAGE")) {
      const auto age = ParseInteger(value);
      if (!age || *age < 1) return ctx.reply.Error("maxage should be greater than 0"), std::nullopt;
      filter.min_age_s = static_cast<uint64_t>(*age);
    } else if (IsWord(word, "SKIPME") && (IsWord(value, "YES") || IsWord(value, "NO"))) {
      filter.skip_me = IsWord(value, "YES");
    } else {
      return ctx.reply.Error(errors::kSyntax), std::nullopt;
    }
  }
  return filter;
}

std::vector<Session*> Matching(Context& ctx, const Filter& filter) {
  std::vector<Session*> matching;
  ctx.host.ForEachSession([&](Session& session) {
    if (filter.Matches(session, ctx.session, ctx.now)) matching.push_back(&session);
  });
  return matching;
}

}  // namespace

std::string ClientLine(const Session& session, Time now) {
  return Describe(session, now);
}

void ClientId(Context& ctx) {
  ctx.reply.Integer(static_cast<int64_t>(ctx.session.id));
}

void ClientGetname(Context& ctx) {
  if (ctx.session.name.empty()) return ctx.reply.Null();
  ctx.reply.Bulk(ctx.session.name);
}

void ClientSetname(Context& ctx) {
  if (SetClientName(ctx, ctx.arg(2))) ctx.reply.Ok();
}

void ClientSetinfo(Context& ctx) {
  const bool name = IsWord(ctx.arg(2), "LIB-NAME");
  if (!name && !IsWord(ctx.arg(2), "LIB-VER")) {
    return ctx.reply.Error(errors::Concat({"Unrecognized option '", ctx.arg(2), "'"}));
  }
  for (char c : ctx.arg(3)) {
    if (c >= '!' && c <= '~') continue;
    return ctx.reply.Error(errors::Concat(
        {name ? "lib-name" : "lib-ver", " cannot contain spaces, newlines or special characters."}));
  }
  (name ? ctx.session.lib_name : ctx.session.lib_version) = ctx.arg(3);
  ctx.reply.Ok();
}

void ClientInfo(Context& ctx) {
  ctx.reply.Verbatim("txt", Describe(ctx.session, ctx.now) + "\n");
}

void ClientList(Context& ctx) {
  Filter filter{.skip_me = false};
  if (ctx.argc() == 4 && IsWord(ctx.arg(2), "TYPE")) {
    if (!KnownType(ctx, ctx.arg(3))) return;
    filter.type = ctx.arg(3);
  } else if (ctx.argc() > 3 && IsWord(ctx.arg(2), "ID")) {
    for (size_t i = 3; i < ctx.argc(); ++i) {
      const auto id = ParseInteger(ctx.arg(i));
      if (!id || *id < 1) return ctx.reply.Error("Invalid client ID");
      filter.ids.push_back(static_cast<uint64_t>(*id));
    }
  } else if (ctx.argc() != 2) {
    return ctx.reply.Error(errors::kSyntax);
  }
  std::string lines;
  for (const Session* session : Matching(ctx, filter)) lines += Describe(*session, ctx.now) + "\n";
  ctx.reply.Verbatim("txt", lines);
}

void ClientKill(Context& ctx) {
  // The old form names an address, kills the caller too, and complains where nobody is there.
  const bool old_form = ctx.argc() == 3;
  auto filter = old_form ? Filter{.address = ctx.arg(2), .skip_me = false} : ParseKillFilter(ctx);
  if (!filter) return;
  const std::vector<Session*> doomed = Matching(ctx, *filter);
  if (old_form && doomed.empty()) return ctx.reply.Error("No such client");
  for (Session* session : doomed) ctx.host.Kill(*session, ctx.session);
  if (old_form) return ctx.reply.Ok();
  ctx.reply.Integer(static_cast<int64_t>(doomed.size()));
}

void ClientUnblock(Context& ctx) {
  const auto id = ParseInteger(ctx.arg(2));
  if (!id) return ctx.reply.Error(errors::kNotInteger);
  bool with_error = false;
  if (ctx.argc() == 4) {
    with_error = IsWord(ctx.arg(3), "ERROR");
    if (!with_error && !IsWord(ctx.arg(3), "TIMEOUT")) {
      return ctx.reply.Error("CLIENT UNBLOCK reason should be TIMEOUT or ERROR");
    }
  } else if (ctx.argc() != 3) {
    return ctx.reply.Error(errors::WrongArity("client|unblock"));
  }
  Session* target = nullptr;
  ctx.host.ForEachSession([&](Session& session) {
    if (*id > 0 && session.id == static_cast<uint64_t>(*id)) target = &session;
  });
  ctx.reply.Integer(target != nullptr && ctx.Unblock(*target, with_error) ? 1 : 0);
}

}  // namespace sluice::commands
