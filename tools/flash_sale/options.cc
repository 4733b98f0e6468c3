#include "tools/flash_sale/options.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <random>

namespace sluice::flash_sale {
namespace {

constexpr char kAbout[] = R"(A flash sale to watch, and its proof.

Creates an item of limited stock, sends a crowd of buyers who click twice and retry, lets workers read the
orders, and shows how it goes. Then it reads everything back and proves that nothing was oversold, lost,
doubled or invented. Only commands that any client may send are used.

  flash-sale                                       against the server on 127.0.0.1:6379
  flash-sale --server sluice-server                starts a server with a temporary data folder
  flash-sale --server sluice-server --chaos        ... and kills it (kill -9) in the midst of the sale
  flash-sale --stock 5000 --hold 2000 --paid 0.7   orders that are not paid within 2 s go back to the stock
  flash-sale --due 1000000 --server sluice-server  a million holds that run out in the same second, and what
                                                   the other clients feel of it)";

constexpr char kStatuses[] =
    R"(Exit status: 0 the proof holds, 1 it does not (or a bound of --due is missed), 2 wrong options, 3 no server,
no access, or a run that could not come to its end, 130 interrupted.)";

void AddOptions(CLI::App& app, Options& o) {
  const CLI::Range share(0.0, 1.0);
  const char* group = "The server";
  CLI::Option* host = app.add_option("--host", o.host, "its address")->group(group);
  CLI::Option* port =
      app.add_option("--port", o.port, "its port; with --server: a free one")->check(CLI::Range(1, 65535));
  port->group(group);
  app.add_option("--user", o.user, "log in as this user")->group(group);
  app.add_option("--password", o.password, "or the environment's REDISCLI_AUTH")
      ->envname("REDISCLI_AUTH")
      ->group(group);
  CLI::Option* server =
      app.add_option("--server", o.server, "start this sluice-server, and stop it at the end")->group(group);
  server->excludes(host);
  app.add_option("--dir", o.directory, "its data folder, which is kept; else a temporary one")
      ->needs(server)
      ->group(group);
  app.add_option("--server-option", o.server_options,
                 "an option for it as its conf file has it, \"appendfsync everysec\"; may be repeated")
      ->needs(server)
      ->take_all()
      ->group(group);
  CLI::Option* chaos =
      app.add_flag("--chaos", o.chaos, "kill -9 the server at random moments, and start it again");
  chaos->needs(server)->group(group);
  app.add_option("--kills", o.kills, "how often")->check(CLI::Range(1, 1000))->needs(chaos)->group(group);

  group = "The sale";
  app.add_option("--item", o.item, "its key, which must not exist; else one of its own")->group(group);
  app.add_option("--stock", o.stock, "pieces")->check(CLI::Range(1u, 4'000'000'000u))->group(group);
  app.add_option("--limit", o.limit, "pieces a user may buy; 0: any number")
      ->check(CLI::Range(0u, 1'000'000'000u))
      ->group(group);
  app.add_option("--hold", o.hold_ms, "ms in which an order is to be paid; 0: a buy is a sale")
      ->check(CLI::Range(0u, 86'400'000u))
      ->group(group);
  app.add_flag("--keep", o.keep, "leave item and stream on the server")->group(group);

  group = "The crowd";
  app.add_option("--tries", o.tries, "buys that are tried")
      ->check(CLI::Range(1u, 200'000'000u))
      ->group(group);
  app.add_option("--users", o.users, "by so many users")->check(CLI::Range(1u, 200'000'000u))->group(group);
  app.add_option("--clients", o.clients, "connections")->check(CLI::Range(1, 10'000))->group(group);
  app.add_option("--pipeline", o.pipeline, "requests under way on each")
      ->check(CLI::Range(1, 10'000))
      ->group(group);
  app.add_option("--double-clicks", o.double_clicks, "share of tries that are sent twice")
      ->check(share)
      ->group(group);
  app.add_flag("!--no-reqid", o.requests, "without request ids: what got no answer is proven less strictly")
      ->group(group);
  app.add_option("--workers", o.workers, "consumers that read the orders")
      ->check(CLI::Range(0, 100))
      ->group(group);
  app.add_option("--paid", o.paid, "share of held orders that workers confirm; the others run out")
      ->check(share)
      ->group(group);
  app.add_option("--threads", o.threads, "of the crowd")->check(CLI::Range(1, 256))->group(group);
  app.add_option("--seed", o.seed, "repeats a run's choices")->group(group);
  app.add_option("--patience", o.patience_s, "seconds without a server or an answer before giving up")
      ->check(CLI::Range(1, 3600))
      ->group(group);

  group = "Holds that run out together";
  CLI::Option* due = app.add_option("--due", o.due,
                                    "so many; measures instead of selling, with --clients, --threads "
                                    "and --pipeline as above")
                         ->check(CLI::Range(1u, 100'000'000u));
  due->excludes(chaos)->group(group);
  app.add_option("--due-in", o.due_in_s, "seconds from now; 0: as many as placing them should take, and 5")
      ->check(CLI::Range(0, 80'000))
      ->needs(due)
      ->group(group);
  app.add_option("--buys-per-second", o.buys_per_second, "buys of another item meanwhile")
      ->check(CLI::Range(0, 10'000'000))
      ->needs(due)
      ->group(group);
  app.add_option("--probes-per-second", o.probes_per_second, "XADDs of other clients, whose latency counts")
      ->check(CLI::Range(1, 1'000'000))
      ->needs(due)
      ->group(group);
  app.add_option("--p99-below", o.p99_below_ms, "ms: the bound of their 99th percentile")
      ->check(CLI::PositiveNumber)
      ->needs(due)
      ->group(group);
  app.add_option("--within", o.within_s, "seconds in which all holds are to have ended")
      ->check(CLI::Range(1, 3600))
      ->needs(due)
      ->group(group);

  group = "What is told";
  app.add_flag("--json", o.json, "the figures as JSON on standard output")->group(group);
  app.add_flag("--quiet", o.quiet, "no progress on standard error")->group(group);
}

// What no single option can tell; empty: sound.
std::string Contradiction(const Options& options) {
  if (options.threads > options.clients) return "--threads: more than --clients";
  if (options.hold_ms != 0 && options.workers == 0 && options.paid > 0)
    return "--workers 0: nobody would confirm what --hold holds; say --paid 0 where all of it should run out";
  if (options.item.size() > 1000) return "--item: longer than 1000 bytes";
  for (const std::string& option : options.server_options) {
    if (option.find(' ') == std::string::npos)
      return "--server-option: an option and its value, as in \"appendfsync everysec\", not \"" + option +
             "\"";
  }
  return {};
}

}  // namespace

int ParseOptions(int argc, char** argv, Options& options) {
  CLI::App app(kAbout, "flash-sale");
  app.footer(kStatuses);
  app.option_defaults()->always_capture_default()->take_last();
  app.get_formatter()->column_width(34);
  AddOptions(app, options);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& help) {
    return app.exit(help);
  } catch (const CLI::ParseError& error) {
    std::fprintf(stderr, "flash-sale: %s\nflash-sale --help tells what there is.\n", error.what());
    return kUsage;
  }
  if (const std::string wrong = Contradiction(options); !wrong.empty()) {
    std::fprintf(stderr, "flash-sale: %s\n", wrong.c_str());
    return kUsage;
  }
  if (!options.server.empty() && app.get_option("--port")->empty()) options.port = 0;
  while (options.seed == 0) options.seed = std::random_device{}();
  return -1;
}

}  // namespace sluice::flash_sale
