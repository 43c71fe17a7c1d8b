// SPDX-License-Identifier: BSD-2-Clause
/*
 * The bytes of UDP answers: their source is where the client asked, every
 * checksum is right, nothing else differs from what leaves without the reply
 * program, and what is not an answer does not differ at all.
 */
#include <bpf/bpf.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <netinet/ip_icmp.h>
#include <netinet/tcp.h>

#include "tests/bpf/answers.h"
#include "tests/bpf/covered.h"
#include "tests/bpf/filters.h"
#include "tests/bpf/packets.h"
#include "tests/bpf/wire.h"
#include "tests/bpf/world.h"

#define PRIORITY    10
#define TUNNEL_PORT 4789

static struct seen with[MOST_PACKETS], without[MOST_PACKETS];
static struct datagram datagram;
static int reply; /* the program */

static int any4, any6, dual, specific, seventeen;

static const struct row {
	const int *server;
	const char *at;
} rows[] = {
	{&any4, "203.0.113.1:77"},   {&any4, "192.0.2.9:77"},	    {&specific, "203.0.113.1:78"},
	{&specific, "192.0.2.9:78"}, {&specific, "192.0.2.9:5354"}, {&dual, "192.0.2.9:79"},
	{&dual, "[2001:db8::5]:79"}, {&any6, "[fd00:6::1]:80"},	    {&any6, "[2001:db8::5]:80"},
};

static int covered(const char *address, uint16_t port, bool both, const char *rules)
{
	char text[200], *rest = text, *rule;
	int fd = udp_bound(address, port, both);
	struct listener *l = add_listener(fd);

	cover_own(l);
	snprintf(text, sizeof(text), "%s", rules);
	while ((rule = strsep(&rest, ",")) != NULL)
		cover(l, rule + strspn(rule, " "));
	return fd;
}

/* The client asks there. Returns whom the server has to answer. */
static union address ask_at(int server, const char *at, uint16_t from_port)
{
	struct packet p;
	union address from = {0};
	socklen_t length = sizeof(from);

	read_packet(&p, at);
	ask_through_tun(&p.to, from_port);
	if (recvfrom(server, received, sizeof(received), 0, &from.any, &length) != 1)
		die(at);
	return from;
}

static bool comes_from(const struct datagram *d, const char *at)
{
	unsigned char want[18], have[18];
	struct packet p;

	read_packet(&p, at);
	normalize(&p.to, want);
	normalize(&d->from, have);
	if (memcmp(want, have, sizeof(want)) == 0)
		return true;
	printf("# it comes from another address or port\n");
	return false;
}

static void send_to(int fd, const union address *to, size_t size)
{
	if (sendto(fd, answer, size, 0, &to->any, length_of(to)) != (ssize_t)size)
		die("sendto");
}

/* One answer, compared with the same one as it leaves without the reply program. */
static bool good_answer(int server, const char *at, size_t size)
{
	union address client = ask_at(server, at, CLIENT_PORT);
	size_t n, n_without;

	read_tun(with);
	send_to(server, &client, size);
	n = read_tun(with);
	detach("tun0", PRIORITY);
	send_to(server, &client, size);
	n_without = read_tun(without);
	attach("tun0", reply, PRIORITY);
	return assemble(with, n, &datagram) == n && n > 0 && comes_from(&datagram, at) &&
	       datagram.length == size + 8 && memcmp(datagram.udp + 8, answer, size) == 0 &&
	       same_packets(with, n, without, n_without, true);
}

static void try_row(const struct row *row, unsigned int offload)
{
	static const size_t sizes[] = {0, 1, 1452, 1453, 1472, 1473, 9000, MOST_BYTES};
	bool good = true;

	set_tun_offload(offload);
	for (size_t i = 0; good && i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		good = good_answer(*row->server, row->at, sizes[i]);
		if (!good)
			printf("# with %zu bytes\n", sizes[i]);
		if (sizes[i] < 1400 && datagram.partial != (offload != 0)) {
			printf("# who makes the checksum is another than meant\n");
			good = false;
		}
	}
	ok(good, "%s: source, checksums, and all else as without the program%s", row->at,
	   offload ? " (checksums left to the device)" : "");
	set_tun_offload(0);
}

static void options(void)
{
	static const unsigned char four[] = {IPOPT_NOP, IPOPT_NOP, IPOPT_NOP, IPOPT_EOL};
	static const unsigned char six[8] = {0, 0, 1, 4}; /* PadN */

	setsockopt(any4, IPPROTO_IP, IP_OPTIONS, four, sizeof(four));
	ok(good_answer(any4, "192.0.2.9:77", 10) && (with[0].ip[0] & 15) == 6 &&
		   good_answer(any4, "192.0.2.9:77", 5000),
	   "options of IPv4");
	setsockopt(any4, IPPROTO_IP, IP_OPTIONS, NULL, 0);
	setsockopt(any6, IPPROTO_IPV6, IPV6_DSTOPTS, six, sizeof(six));
	ok(good_answer(any6, "[2001:db8::5]:80", 10) && with[0].ip[6] == IPPROTO_DSTOPTS &&
		   good_answer(any6, "[2001:db8::5]:80", 5000),
	   "destination options of IPv6");
	setsockopt(any6, IPPROTO_IPV6, IPV6_HOPOPTS, six, sizeof(six));
	ok(good_answer(any6, "[2001:db8::5]:80", 10) && with[0].ip[6] == IPPROTO_HOPOPTS &&
		   good_answer(any6, "[2001:db8::5]:80", 5000),
	   "hop-by-hop and destination options of IPv6");
	setsockopt(any6, IPPROTO_IPV6, IPV6_DSTOPTS, NULL, 0);
	setsockopt(any6, IPPROTO_IPV6, IPV6_HOPOPTS, NULL, 0);
}

static void no_checksum(int server, const char *at)
{
	int on = 1, off = 0;

	setsockopt(server, SOL_SOCKET, SO_NO_CHECK, &on, sizeof(on));
	setsockopt(server, SOL_UDP, UDP_NO_CHECK6_TX, &on, sizeof(on));
	ok(good_answer(server, at, 100) && datagram.checksum == 0, "%s: no checksum stays none", at);
	setsockopt(server, SOL_SOCKET, SO_NO_CHECK, &off, sizeof(off));
	setsockopt(server, SOL_UDP, UDP_NO_CHECK6_TX, &off, sizeof(off));
}

/* A sum of 0 must be written in the other way that there is: 0 means none. */
static void zero_checksum(int server, const char *at)
{
	unsigned char kept[2] = {answer[0], answer[1]};
	bool good;

	answer[0] = answer[1] = 0;
	good = good_answer(server, at, 100);
	answer[0] = (unsigned char)(datagram.checksum >> 8);
	answer[1] = (unsigned char)datagram.checksum;
	ok(good && good_answer(server, at, 100) && datagram.checksum == 0xffff,
	   "%s: a checksum that comes out as 0 becomes ffff", at);
	memcpy(answer, kept, 2);
}

/* Before Linux 6.11 nothing is cut where the device sums nothing, whatever is attached to it. */
static bool refused;

static bool good_segments(int server, const char *at, size_t size, unsigned int offload, size_t *n_packets)
{
	union address client = ask_at(server, at, CLIENT_PORT);
	size_t n, done = 0;
	const int segment = SEGMENT, none = 0;

	if (!set_tun_offload(offload))
		return false;
	read_tun(with);
	setsockopt(server, SOL_UDP, UDP_SEGMENT, &segment, sizeof(segment));
	refused = sendto(server, answer, size, 0, &client.any, length_of(&client)) < 0 && errno == EIO;
	setsockopt(server, SOL_UDP, UDP_SEGMENT, &none, sizeof(none));
	set_tun_offload(0);
	n = read_tun(with);
	*n_packets = n;
	for (size_t i = 0; i < n; i++) {
		if (assemble(&with[i], 1, &datagram) != 1 || !comes_from(&datagram, at) ||
		    memcmp(datagram.udp + 8, answer + done, datagram.length - 8) != 0)
			return false;
		done += datagram.length - 8;
	}
	return done == size;
}

static void segments(int server, const char *at)
{
	const unsigned int udp_too = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_USO4 | TUN_F_USO6;
	bool good;
	size_t n;

	good = good_segments(server, at, 20500, 0, &n) && n == 21;
	ok(good || refused, "%s: UDP_SEGMENT, cut and summed before the device%s", at,
	   refused ? " # SKIP Linux before 6.11 refuses this of any socket" : "");
	ok(good_segments(server, at, 20500, TUN_F_CSUM, &n) && n == 21,
	   "%s: UDP_SEGMENT, cut before the device, summed by it", at);
	if (!set_tun_offload(udp_too)) {
		ok(true, "%s: UDP_SEGMENT, cut by the device # SKIP tun cannot on this kernel", at);
		return;
	}
	ok(good_segments(server, at, 20500, udp_too, &n) && n == 1 && datagram.partial &&
		   with[0].how.gso_type == VIRTIO_NET_HDR_GSO_UDP_L4 && with[0].how.gso_size == SEGMENT,
	   "%s: UDP_SEGMENT, cut by the device", at);
}

/* Makes the same packets leave with the reply program there and not. */
static void unchanged(void (*send_some)(void), const char *what)
{
	size_t n, n_without;
	bool good;

	read_tun(with);
	send_some();
	n = read_tun(with);
	detach("tun0", PRIORITY);
	send_some();
	n_without = read_tun(without);
	attach("tun0", reply, PRIORITY);
	good = n > 0 && same_packets(with, n, without, n_without, false);
	ok(good, "unchanged: %s", what);
}

static union address client_at(uint16_t port)
{
	union address a;

	make_address(&a, "203.0.113.2", port);
	return a;
}

static int stranger;

static void from_stranger(void)
{
	const union address to = client_at(CLIENT_PORT);

	send_to(stranger, &to, 1);
	send_to(stranger, &to, 5000);
}

static void to_another_port(void)
{
	const union address to = client_at(CLIENT_PORT + 1);

	send_to(any4, &to, 1);
	send_to(any4, &to, 5000);
}

static void to_client_of_own_port(void)
{
	const union address to = ask_at(any4, "203.0.113.1:5353", CLIENT_PORT + 2);

	send_to(any4, &to, 1);
	send_to(any4, &to, 5000);
}

/*
 * A tunnel's packet in UDP has the inner one's socket, and here even goes to a
 * client of that socket.
 */
static void through_tunnel(void)
{
	union address to;

	make_address(&to, "203.0.113.66", CLIENT_PORT);
	ask_at(any4, "192.0.2.9:77", TUNNEL_PORT);
	read_tun(with);
	send_to(any4, &to, 1);
	ok(read_tun(with) == 1 && assemble(with, 1, &datagram) == 1 &&
		   datagram.from.v4.sin_addr.s_addr == htonl(0xcb007101) &&
		   datagram.from.v4.sin_port != htons(77),
	   "unchanged: the packet of a tunnel with what it sends in it");
}

static void send_raw(int protocol, const void *data, size_t length)
{
	const union address to = client_at(0);
	int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, protocol);

	if (sendto(fd, data, length, 0, &to.any, sizeof(to.v4)) != (ssize_t)length)
		die("raw socket");
	close(fd);
}

/* Looks in all as if the covered socket of port 17 had sent it: a raw socket's "port" is its protocol. */
static void raw_udp(void)
{
	struct udphdr udp = {.source = htons(17), .dest = htons(CLIENT_PORT), .len = htons(8)};

	send_raw(IPPROTO_UDP, &udp, sizeof(udp));
}

static void raw_others(void)
{
	struct tcphdr tcp = {.source = htons(5353), .dest = htons(CLIENT_PORT), .doff = 5, .syn = 1};
	struct icmphdr echo = {.type = ICMP_ECHO};

	send_raw(IPPROTO_TCP, &tcp, sizeof(tcp));
	send_raw(IPPROTO_ICMP, &echo, sizeof(echo));
	send_raw(47, "gre?", 4);
}

/* As a bridge or a user-space router: no socket of UDP has to do with it. */
static void injected(void)
{
	static unsigned char ip[28] = {0x45, 0, 0, 28, 1, 2, 0x40, 0, 64, IPPROTO_UDP};
	const struct udphdr udp = {.source = htons(5353), .dest = htons(CLIENT_PORT), .len = htons(8)};
	struct sockaddr_ll to = {.sll_family = AF_PACKET,
				 .sll_protocol = htons(ETH_P_IP),
				 .sll_ifindex = (int)if_nametoindex("tun0")};
	int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	uint16_t sum;

	memcpy(ip + 12, "\313\0\161\1\313\0\161\2", 8);
	memset(ip + 10, 0, 2);
	sum = htons((uint16_t)~fold(sum_bytes(ip, 20, 0)));
	memcpy(ip + 10, &sum, 2);
	memcpy(ip + 20, &udp, sizeof(udp));
	if (sendto(fd, ip, sizeof(ip), 0, (struct sockaddr *)&to, sizeof(to)) != sizeof(ip))
		die("packet socket");
	close(fd);
}

/*
 * What is left of a datagram that was never sent to its end, must not meet one
 * that has its number later. The kernel's numbers count up slowly.
 */
static void old_fragments(void)
{
	struct {
		uint32_t source[4], target[4], id, family;
	} key = {.family = AF_INET};
	uint32_t bogus[4] = {htonl(0x7f010101)};
	int map = map_of(reply, "fragments");
	size_t n;
	uint16_t id;

	read_tun(with);
	from_stranger();
	read_tun(with);
	memcpy(&key.source, with[1].ip + 12, 4);
	memcpy(&key.target, with[1].ip + 16, 4);
	id = (uint16_t)(with[1].ip[4] << 8 | with[1].ip[5]);
	for (uint16_t i = 1; i < 500; i++) {
		key.id = htons((uint16_t)(id + i));
		if (bpf_map_update_elem(map, &key, bogus, BPF_ANY))
			die("fragments");
	}
	from_stranger();
	n = read_tun(with);
	id = (uint16_t)((with[1].ip[4] << 8 | with[1].ip[5]) - id);
	ok(id > 0 && id < 500 && assemble(with + 1, n - 1, &datagram) == n - 1 &&
		   comes_from(&datagram, "203.0.113.1:6000"),
	   "unchanged: fragments with the number of a datagram that was not finished");
	close(map);
}

int main(void)
{
	enter_world();
	here = this_netns();
	run_ip("ip route add local 192.0.2.0/24 dev lo; ip -6 route add local 2001:db8::/32 dev lo;"
	       "ip address add 198.51.100.1/32 dev lo");
	open_tun();
	run_ip("ip link add vx0 type vxlan id 5 remote 203.0.113.2 dstport 4789 dev tun0;"
	       "echo 1 > /proc/sys/net/ipv6/conf/vx0/disable_ipv6; ip address add 203.0.113.65/26 dev vx0;"
	       "ip link set vx0 up; ip neighbour add 203.0.113.66 lladdr 02:00:00:00:00:01 dev vx0");
	choose_pins();
	start_datapath();
	fill_payloads();
	any4 = covered("0.0.0.0", 5353, false, "0.0.0.0/0:77/udp");
	specific = covered("198.51.100.1", 5354, false, "0.0.0.0/0:78/udp, 192.0.2.0/24:5354/udp");
	dual = covered("::", 5355, true, "0.0.0.0/0:79/udp, [::]/0:79/udp");
	any6 = covered("::", 5356, false, "[::]/0:80/udp");
	seventeen = covered("0.0.0.0", 17, false, "0.0.0.0/0:81/udp");
	stranger = udp_bound("0.0.0.0", 6000, false);
	reply = datapath_start_replies(datapath);
	check(reply < 0 ? reply : 0, "reply program");
	attach("tun0", reply, PRIORITY);

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		try_row(&rows[i], 0);
		try_row(&rows[i], TUN_F_CSUM);
	}
	options();
	no_checksum(any4, "192.0.2.9:77");
	no_checksum(any6, "[2001:db8::5]:80");
	zero_checksum(any4, "192.0.2.9:77");
	zero_checksum(any4, "203.0.113.1:77");
	zero_checksum(any6, "[2001:db8::5]:80");
	segments(any4, "192.0.2.9:77");
	segments(any4, "203.0.113.1:77");
	segments(any6, "[2001:db8::5]:80");
	ask_at(any4, "192.0.2.9:77", CLIENT_PORT);
	ask_at(seventeen, "192.0.2.9:81", CLIENT_PORT);
	unchanged(from_stranger, "what another socket sends to a client of ours");
	unchanged(to_another_port, "what a covered socket sends to others than its clients");
	unchanged(to_client_of_own_port, "what it sends to those who use its own port");
	through_tunnel();
	unchanged(raw_udp, "raw sockets' UDP");
	unchanged(raw_others, "raw sockets' TCP, ICMP and others");
	unchanged(injected, "packet sockets'");
	old_fragments();
	return finish();
}
