/*
 * The load of kerberos-sign-in.bench.ts: requests of prepared bytes, each on a new connection, so many at a time. One
 * thread and little more than the system calls, so that a server on another core is what limits the rate.
 *
 * sign-in-load AT_ONCE: reads `PORT FILE` lines; FILE holds requests, each after its length in four bytes,
 * little-endian. Answers each line with the seconds that all of them took, from the first connection to the last
 * response. A response that is not 200, has no Content-Length or is cut off ends the program with a message.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { RESPONSE = 16384, MOST_AT_ONCE = 256 };

struct request {
  char *bytes;
  uint32_t length;
};

struct connection {
  int socket;
  int sent;
  size_t received;
  const struct request *request;
  char response[RESPONSE + 1];
};

static void fail(const char *what, const char *detail)
{
  fprintf(stderr, "sign-in-load: %s: %.200s\n", what, detail);
  exit(1);
}

static double now(void)
{
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec + time.tv_nsec / 1e9;
}

static struct request *read_requests(const char *path, size_t *count)
{
  FILE *file = fopen(path, "rb");
  struct request *requests = NULL;
  uint32_t length;
  size_t room = 0;
  if (!file) fail(path, strerror(errno));
  *count = 0;
  while (fread(&length, 4, 1, file) == 1) {
    if (*count == room) requests = realloc(requests, (room = room * 2 + 64) * sizeof *requests);
    requests[*count].length = length;
    requests[*count].bytes = malloc(length);
    if (fread(requests[*count].bytes, 1, length, file) != length) fail(path, "is cut off");
    ++*count;
  }
  fclose(file);
  return requests;
}

static void begin(struct connection *connection, const struct request *request, int port, int poll)
{
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  struct epoll_event event = {.events = EPOLLOUT, .data.ptr = connection};
  int yes = 1;
  connection->socket = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  connection->sent = 0;
  connection->received = 0;
  connection->request = request;
  if (connection->socket < 0) fail("socket", strerror(errno));
  setsockopt(connection->socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  if (connect(connection->socket, (struct sockaddr *)&address, sizeof address) && errno != EINPROGRESS)
    fail("connect", strerror(errno));
  if (epoll_ctl(poll, EPOLL_CTL_ADD, connection->socket, &event)) fail("epoll_ctl", strerror(errno));
}

static void send_request(struct connection *connection, int poll)
{
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
  ssize_t sent = send(connection->socket, connection->request->bytes, connection->request->length, MSG_NOSIGNAL);
  if (sent < 0) fail("send", strerror(errno));
  if (sent != (ssize_t)connection->request->length) fail("send", "a request does not fit the socket's buffer");
  connection->sent = 1;
  if (epoll_ctl(poll, EPOLL_CTL_MOD, connection->socket, &event)) fail("epoll_ctl", strerror(errno));
}

/* Whether the response is whole. */
static int receive(struct connection *connection)
{
  char *response = connection->response, *body, *field;
  ssize_t got = recv(connection->socket, response + connection->received, RESPONSE - connection->received, 0);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return 0;
  if (got <= 0) fail("the connection ended", got < 0 ? strerror(errno) : "before the response was whole");
  connection->received += got;
  response[connection->received] = 0;
  body = strstr(response, "\r\n\r\n");
  if (!body) return 0;
  if (strncmp(response, "HTTP/1.1 200 ", 13)) fail("the server answered", response);
  field = strcasestr(response, "\r\nContent-Length: ");
  if (!field || field > body) fail("no Content-Length", response);
  return connection->received >= (size_t)(body + 4 - response) + strtoul(field + 18, NULL, 10);
}

static void run(int port, const struct request *requests, size_t count, int at_once, struct connection *connections)
{
  int poll = epoll_create1(EPOLL_CLOEXEC), index, ready;
  struct epoll_event events[MOST_AT_ONCE];
  size_t next = 0, done = 0;
  if (poll < 0) fail("epoll_create1", strerror(errno));
  for (index = 0; index < at_once && next < count; index++) begin(&connections[index], &requests[next++], port, poll);
  while (done < count) {
    ready = epoll_wait(poll, events, MOST_AT_ONCE, 30000);
    if (ready == 0) fail("no answer", "for 30 seconds");
    for (index = 0; index < ready; index++) {
      struct connection *connection = events[index].data.ptr;
      if (!connection->sent) {
        send_request(connection, poll);
      } else if (receive(connection)) {
        close(connection->socket);
        done++;
        if (next < count) begin(connection, &requests[next++], port, poll);
      }
    }
  }
  close(poll);
}

int main(int words, char **word)
{
  static struct connection connections[MOST_AT_ONCE];
  int at_once = words == 2 ? atoi(word[1]) : 0, port;
  char path[4096];
  if (at_once < 1 || at_once > MOST_AT_ONCE) fail("usage", "sign-in-load AT_ONCE");
  while (scanf("%d %4095s", &port, path) == 2) {
    size_t count, index;
    struct request *requests = read_requests(path, &count);
    double start = now();
    run(port, requests, count, at_once, connections);
    printf("%.6f\n", now() - start);
    fflush(stdout);
    for (index = 0; index < count; index++) free(requests[index].bytes);
    free(requests);
  }
  return 0;
}
