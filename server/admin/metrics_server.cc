#include "server/admin/metrics_server.h"

#include <microhttpd.h>

#include <cerrno>
#include <cstring>
#include <string_view>

namespace sluice::admin {
namespace {

constexpr unsigned kThreads = 2;
constexpr unsigned kConnections = 32;
constexpr unsigned kSilentSeconds = 5;
constexpr size_t kConnectionBytes = 16 * 1024;

struct Answer {
  unsigned status;
  std::string body;
};

Answer AnswerTo(std::string_view path, MetricsBoard& board) {
  if (path == "/healthz") {
    return board.healthy() ? Answer{MHD_HTTP_OK, "ok\n"}
                           : Answer{MHD_HTTP_SERVICE_UNAVAILABLE, "the loop does not turn\n"};
  }
  if (path == "/readyz") {
    return board.ready() ? Answer{MHD_HTTP_OK, "ready\n"}
                         : Answer{MHD_HTTP_SERVICE_UNAVAILABLE, "requests are not served\n"};
  }
  if (path == "/metrics") {
    if (const auto snapshot = board.Ask()) return {MHD_HTTP_OK, RenderMetrics(*snapshot)};
    return {MHD_HTTP_SERVICE_UNAVAILABLE, "the loop does not turn\n"};
  }
  return {MHD_HTTP_NOT_FOUND, "there are /metrics, /healthz and /readyz\n"};
}

MHD_Result Handle(void* data, MHD_Connection* connection, const char* path, const char* method, const char*,
                  const char*, size_t*, void**) {
  const std::string_view verb = method;
  const Answer answer = verb == MHD_HTTP_METHOD_GET || verb == MHD_HTTP_METHOD_HEAD
                            ? AnswerTo(path, *static_cast<MetricsBoard*>(data))
                            : Answer{MHD_HTTP_METHOD_NOT_ALLOWED, "only GET and HEAD\n"};
  MHD_Response* response = MHD_create_response_from_buffer(
      answer.body.size(), const_cast<char*>(answer.body.data()), MHD_RESPMEM_MUST_COPY);
  if (response == nullptr) return MHD_NO;
  MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8");
  if (answer.status == MHD_HTTP_METHOD_NOT_ALLOWED) {
    MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
  }
  const MHD_Result queued = MHD_queue_response(connection, answer.status, response);
  MHD_destroy_response(response);
  return queued;
}

}  // namespace

tl::expected<std::unique_ptr<MetricsServer>, std::string> MetricsServer::Start(
    const sockaddr_storage& address, MetricsBoard& board) {
  unsigned flags = MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_EPOLL;
  if (address.ss_family == AF_INET6) flags |= MHD_USE_IPv6;
  errno = 0;
  MHD_Daemon* daemon =
      MHD_start_daemon(flags, 0, nullptr, nullptr, &Handle, &board, MHD_OPTION_SOCK_ADDR,
                       reinterpret_cast<const sockaddr*>(&address), MHD_OPTION_THREAD_POOL_SIZE, kThreads,
                       MHD_OPTION_CONNECTION_LIMIT, kConnections, MHD_OPTION_CONNECTION_TIMEOUT,
                       kSilentSeconds, MHD_OPTION_CONNECTION_MEMORY_LIMIT, kConnectionBytes,
                       MHD_OPTION_LISTENING_ADDRESS_REUSE, 1U, MHD_OPTION_END);
  if (daemon == nullptr)
    return tl::unexpected(std::string(errno != 0 ? std::strerror(errno) : "no reason given"));
  return std::unique_ptr<MetricsServer>(new MetricsServer(daemon));
}

MetricsServer::~MetricsServer() {
  MHD_stop_daemon(daemon_);
}

}  // namespace sluice::admin
