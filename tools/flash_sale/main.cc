// flash-sale: a sale to watch, and its proof (docs/seckill.md).
#include <cstdio>
#include <memory>

#include "tools/flash_sale/due.h"
#include "tools/flash_sale/interrupt.h"
#include "tools/flash_sale/local_server.h"
#include "tools/flash_sale/options.h"
#include "tools/flash_sale/sale.h"

namespace {

using namespace sluice::flash_sale;

int Go(const Options& options) {
  Interrupt interrupt;
  std::unique_ptr<LocalServer> server;
  if (!options.server.empty()) server = std::make_unique<LocalServer>(options);
  const Address address{.host = options.host,
                        .port = server != nullptr ? server->port() : options.port,
                        .user = options.user,
                        .password = options.password,
                        .patience_s = options.patience_s};
  if (options.due != 0) return Due(options, address, server.get(), interrupt).Run();
  return Sale(options, address, server.get(), interrupt).Run();
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  if (const int status = ParseOptions(argc, argv, options); status >= 0) return status;
  try {
    return Go(options);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "flash-sale: %s\n", error.what());
    return kTrouble;
  }
}
