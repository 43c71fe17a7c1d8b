/* SPDX-License-Identifier: BSD-2-Clause */
/* The rows of tests/bpf/verdicts.c: which rules there are, and which listener each packet then gets. */
#ifndef SKL_TESTS_BPF_SCENES_H
#define SKL_TESTS_BPF_SCENES_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A socket. Those whose names begin with the same letter are, in this order,
 * the members of one listener. O and P have no rules: they are there for the
 * kernel's ordinary lookup.
 */
static struct server {
	const char *name;
	const char *address;
	uint16_t port;
	int type; /* 0: SOCK_STREAM */
	bool dual, reuseport;
	const char *device;
	int fd;
	uint64_t cookie;
} servers[] = {
	{.name = "A", .address = "127.0.0.1", .port = 7001},
	{.name = "B", .address = "127.0.0.1", .port = 7002},
	{.name = "C", .address = "0.0.0.0", .port = 7003},
	{.name = "X", .address = "::1", .port = 7001},
	{.name = "Y", .address = "::1", .port = 7002},
	{.name = "Z", .address = "::", .port = 7003},
	{.name = "D", .address = "::", .port = 7004, .dual = true},
	{.name = "M1", .address = "127.0.0.1", .port = 7011},
	{.name = "M2", .address = "127.0.0.1", .port = 7012},
	{.name = "M3", .address = "127.0.0.1", .port = 7013},
	{.name = "R1", .address = "127.0.0.1", .port = 7020, .reuseport = true},
	{.name = "R2", .address = "127.0.0.1", .port = 7020, .reuseport = true},
	{.name = "L", .address = "127.0.0.1", .port = 7030, .device = "lo"},
	{.name = "V", .address = "0.0.0.0", .port = 7031, .device = "skl0"},
	{.name = "U", .address = "127.0.0.1", .port = 7040, .type = SOCK_DGRAM},
	{.name = "W", .address = "::1", .port = 7040, .type = SOCK_DGRAM},
	{.name = "O", .address = "0.0.0.0", .port = 8080},
	{.name = "P", .address = "::", .port = 8080},
};

/* Either something that happens, or a packet and what becomes of it. */
struct step {
	/* "close NAME", "shutdown NAME", "listen NAME", "connect NAME"; "forget L": all rules of listener L
	 * end; "restart": another helper takes over */
	const char *happens;

	/* "ADDRESS:PORT" with IPv6 in brackets, "/udp" after it, "%far" if it comes in through skl0 */
	const char *to;

	/* a server; a listener, if any of its members will do; or "-": the ordinary lookup, by which "-O"
	 * gets it and otherwise nobody */
	const char *gets;

	char missed; /* the listener whose rule it was, but that is gone */
	char failed; /* the listener whose rule it was, but whose socket the kernel refuses */
};

#define HAPPENS(what)                                                                                        \
	{                                                                                                    \
		.happens = what                                                                              \
	}
#define GETS(dest, whom)                                                                                     \
	{                                                                                                    \
		.to = dest, .gets = whom                                                                     \
	}
#define MISSES(dest, l)                                                                                      \
	{                                                                                                    \
		.to = dest, .gets = "-", .missed = l                                                         \
	}

static const struct scene {
	const char *name;
	const char *rules; /* "LISTENER PREFIX:PORTS, ...": as in SKL_BIND; or "LISTENER own" */
	bool look;	   /* the rules are given in sight of who holds ports already */
	struct step steps[20];
} scenes[] = {
	{
		"nothing else changes",
		"A 127.0.0.1:80",
		.steps =
			{
				GETS("127.0.0.1:80", "A"),
				GETS("127.0.0.1:81", "-"),
				GETS("127.0.0.1:79", "-"),
				GETS("127.0.0.2:80", "-"),
				GETS("127.0.0.1:8080", "-O"),
				GETS("[::1]:80", "-"),
				GETS("[::1]:8080", "-P"),
				GETS("127.0.0.1:80/udp", "-"),
			},
	},
	{
		"the longest prefix wins",
		"A 127.0.0.0/8:80, B 127.1.0.0/16:80, C 127.1.1.1:80",
		.steps =
			{
				GETS("127.9.9.9:80", "A"),
				GETS("127.1.9.9:80", "B"),
				GETS("127.1.1.1:80", "C"),
				GETS("127.1.1.2:80", "B"),
				GETS("127.1.1.0:80", "B"),
				GETS("127.2.1.1:80", "A"),
				GETS("192.0.2.1:80", "-"),
			},
	},
	{
		"the longest prefix wins, IPv6",
		"X [2001:db8::/32]:80, Y [2001:db8:1::/48]:80, Z [2001:db8:1::1]:80",
		.steps =
			{
				GETS("[2001:db8:2::1]:80", "X"),
				GETS("[2001:db8:1:5::1]:80", "Y"),
				GETS("[2001:db8:1::1]:80", "Z"),
				GETS("[2001:db8:1::2]:80", "Y"),
				GETS("[2001:db8:1::1:0:0:1]:80", "Y"),
				GETS("[::1]:80", "-"),
			},
	},
	{
		"the longer prefix wins over the narrower port",
		"A 127.0.0.0/8:80, B 127.1.0.0/16:*, C 127.1.1.0/24:75-85",
		.steps =
			{
				GETS("127.2.0.1:80", "A"),
				GETS("127.1.0.1:80", "B"),
				GETS("127.1.0.1:81", "B"),
				GETS("127.1.1.1:80", "C"),
				GETS("127.1.1.1:85", "C"),
				GETS("127.1.1.1:86", "B"),
				GETS("127.2.0.1:81", "-"),
			},
	},
	{
		"the longer prefix wins over the narrower port, IPv6",
		"X [2001:db8::/32]:80, Y [2001:db8:1::/48]:*, Z [2001:db8:1:1::/64]:75-85",
		.steps =
			{
				GETS("[2001:db8:2::1]:80", "X"),
				GETS("[2001:db8:1::1]:80", "Y"),
				GETS("[2001:db8:1::1]:81", "Y"),
				GETS("[2001:db8:1:1::1]:80", "Z"),
				GETS("[2001:db8:1:1::1]:86", "Y"),
				GETS("[2001:db8:2::1]:81", "-"),
			},
	},
	{
		"on a tie the narrowest port wins: exact, range, *",
		"A 127.0.0.0/8:*, B 127.0.0.0/8:80-89, C 127.0.0.0/8:85",
		.steps =
			{
				GETS("127.0.0.1:1", "A"),
				GETS("127.0.0.1:79", "A"),
				GETS("127.0.0.1:80", "B"),
				GETS("127.0.0.1:84", "B"),
				GETS("127.0.0.1:85", "C"),
				GETS("127.0.0.1:86", "B"),
				GETS("127.0.0.1:89", "B"),
				GETS("127.0.0.1:90", "A"),
				GETS("127.0.0.1:65535", "A"),
			},
	},
	{
		"on a tie the narrowest port wins, IPv6",
		"X [::]/0:*, Y [::]/0:80-89, Z [::]/0:85",
		.steps =
			{
				GETS("[::1]:1", "X"),
				GETS("[::1]:79", "X"),
				GETS("[::1]:80", "Y"),
				GETS("[2001:db8::1]:85", "Z"),
				GETS("[::1]:86", "Y"),
				GETS("[::1]:65535", "X"),
			},
	},
	{
		"of ranges that cross, the smaller has what is common",
		"A 127.0.0.0/8:80-90, B 127.0.0.0/8:88-93, C 127.0.0.0/8:92-99",
		.steps =
			{
				GETS("127.0.0.1:87", "A"),
				GETS("127.0.0.1:88", "B"),
				GETS("127.0.0.1:90", "B"),
				GETS("127.0.0.1:93", "B"),
				GETS("127.0.0.1:94", "C"),
				GETS("127.0.0.1:100", "-"),
			},
	},
	{
		"prefixes and ports cross",
		"A 127.0.0.0/8:80-89, B 127.1.0.0/16:85, C 127.0.0.0/8:85, A 127.1.0.0/16:80-82",
		.steps =
			{
				GETS("127.0.0.1:85", "C"),
				GETS("127.1.0.1:85", "B"),
				GETS("127.1.0.1:84", "A"),
				GETS("127.1.0.1:81", "A"),
				GETS("127.0.0.1:81", "A"),
			},
	},
	{
		"prefixes end where they should",
		"A 0.0.0.0/0:80, B 127.128.0.0/9:80, C 127.200.0.2/31:80, B 127.0.0.0/25:80",
		.steps =
			{
				GETS("192.0.2.1:80", "A"),
				GETS("127.127.255.255:80", "A"),
				GETS("127.128.0.0:80", "B"),
				GETS("127.255.255.254:80", "B"),
				GETS("127.200.0.1:80", "B"),
				GETS("127.200.0.2:80", "C"),
				GETS("127.200.0.3:80", "C"),
				GETS("127.200.0.4:80", "B"),
				GETS("127.0.0.127:80", "B"),
				GETS("127.0.0.128:80", "A"),
			},
	},
	{
		"prefixes end where they should, IPv6",
		"X [::]/0:80, Y [2001:db8:0:2::/63]:80, Z [2001:db8:0:3::/64]:80, X "
		"[2001:db8:0:3:8000::/65]:80, "
		"Y [2001:db8::fffe/127]:80, Z [2001:db8::ffff]:80, Y [2001:db8:0:5::8000:0/97]:80",
		.steps =
			{
				GETS("[::1]:80", "X"),
				GETS("[2001:db8:0:1:ffff::1]:80", "X"),
				GETS("[2001:db8:0:2::1]:80", "Y"),
				GETS("[2001:db8:0:3::1]:80", "Z"),
				GETS("[2001:db8:0:3:7fff:ffff:ffff:ffff]:80", "Z"),
				GETS("[2001:db8:0:3:8000::1]:80", "X"),
				GETS("[2001:db8:0:4::1]:80", "X"),
				GETS("[2001:db8::fffd]:80", "X"),
				GETS("[2001:db8::fffe]:80", "Y"),
				GETS("[2001:db8::ffff]:80", "Z"),
				GETS("[2001:db8:0:5::7fff:ffff]:80", "X"),
				GETS("[2001:db8:0:5::8000:0]:80", "Y"),
			},
	},
	{
		"the first and the last port",
		"A 127.0.0.0/8:1, B 127.0.0.0/8:65535, X [::1]:1, Y [::1]:65535",
		.steps =
			{
				GETS("127.0.0.1:1", "A"),
				GETS("127.0.0.1:2", "-"),
				GETS("127.0.0.1:65534", "-"),
				GETS("127.0.0.1:65535", "B"),
				GETS("[::1]:1", "X"),
				GETS("[::1]:65535", "Y"),
			},
	},
	{
		"the two families of a port are apart",
		"A 127.0.0.1:80, X [::1]:80, B 127.0.0.1:81, Y [::1]:82",
		.steps =
			{
				GETS("127.0.0.1:80", "A"),
				GETS("[::1]:80", "X"),
				GETS("127.0.0.1:81", "B"),
				GETS("[::1]:81", "-"),
				GETS("127.0.0.1:82", "-"),
				GETS("[::1]:82", "Y"),
			},
	},
	{
		"a dual-stack socket gets packets of both families",
		"D 127.0.0.0/8:80, D [2001:db8::/32]:80, A 127.0.0.1:80",
		.steps =
			{
				GETS("127.0.0.2:80", "D"),
				GETS("[2001:db8::1]:80", "D"),
				GETS("[::ffff:127.0.0.2]:80", "D"),
				GETS("127.0.0.1:80", "A"),
				GETS("[::ffff:127.0.0.1]:80", "A"),
				GETS("[::1]:80", "-"),
			},
	},
	{
		"a rule for an IPv4-mapped prefix is one for IPv4",
		"A [::ffff:127.0.0.0/104]:80, B [::ffff:127.0.0.5]:80",
		.steps =
			{
				GETS("127.0.0.1:80", "A"),
				GETS("[::ffff:127.0.0.1]:80", "A"),
				GETS("127.0.0.5:80", "B"),
				GETS("[::1]:80", "-"),
			},
	},
	{
		"a socket that cannot take the packet leaves it to the ordinary lookup, counted as an error",
		"X 127.0.0.1:80, Y 127.0.0.1:8080",
		.steps =
			{
				{.to = "127.0.0.1:80", .gets = "-", .failed = 'X'},
				{.to = "127.0.0.1:8080", .gets = "-O", .failed = 'Y'},
			},
	},
	{
		"as many prefixes as a port has inline",
		"A 0.0.0.0/0:80, B 127.0.0.0/8:80, C 127.1.0.0/16:80, A 127.1.1.0/24:80, B 127.1.1.0/25:80, "
		"C 127.1.1.0/26:80, A 127.1.1.0/27:80, B 127.1.1.0/28:80",
		.steps =
			{
				GETS("127.1.1.1:80", "B"),
				GETS("127.1.1.17:80", "A"),
				GETS("127.1.1.33:80", "C"),
				GETS("127.1.1.65:80", "B"),
				GETS("127.1.1.129:80", "A"),
				GETS("127.1.2.1:80", "C"),
				GETS("127.2.1.1:80", "B"),
				GETS("192.0.2.1:80", "A"),
			},
	},
	{
		"more prefixes than a port has inline (trie)",
		"A 127.0.0.0/8:80, B 127.1.0.0/16:80, C 127.1.1.0/24:80, A 127.1.1.0/25:80, B "
		"127.1.1.0/26:80, "
		"C 127.1.1.0/27:80, A 127.1.1.0/28:80, B 127.1.1.0/29:80, C 127.1.1.1:80, M 127.3.0.0/16:*",
		.steps =
			{
				GETS("127.1.1.1:80", "C"),
				GETS("127.1.1.2:80", "B"),
				GETS("127.1.1.9:80", "A"),
				GETS("127.1.1.17:80", "C"),
				GETS("127.1.1.33:80", "B"),
				GETS("127.1.1.65:80", "A"),
				GETS("127.1.1.129:80", "C"),
				GETS("127.1.2.1:80", "B"),
				GETS("127.2.1.1:80", "A"),
				GETS("127.3.1.1:80", "M1"),
				GETS("127.3.1.1:81", "M1"),
				GETS("192.0.2.1:80", "-"),
				HAPPENS("close M1"),
				GETS("127.3.1.1:80", "M2"),
				HAPPENS("forget C"), /* few enough again */
				GETS("127.1.1.1:80", "B"),
				GETS("127.1.1.17:80", "B"),
				GETS("127.2.1.1:80", "A"),
			},
	},
	{
		"more prefixes than a port has inline (trie), IPv6",
		"X [::]/0:80, Y [2001:db8::/32]:80, Z [2001:db8:1::/48]:80, X [2001:db8:1:1::/64]:80, "
		"Y [2001:db8:1:1:8000::/65]:80, Z [2001:db8:1:1::/66]:80, X [2001:db8:1:1::/96]:80, "
		"Y [2001:db8:1:1::/112]:80, Z [2001:db8:1:1::5]:80, X [2001:db8:1:1::5/127]:80",
		.steps =
			{
				GETS("[2001:db8:1:1::5]:80", "Z"),
				GETS("[2001:db8:1:1::4]:80", "X"),
				GETS("[2001:db8:1:1::6]:80", "Y"),
				GETS("[2001:db8:1:1::1:0]:80", "X"),
				GETS("[2001:db8:1:1:1::1]:80", "Z"),
				GETS("[2001:db8:1:1:8000::1]:80", "Y"),
				GETS("[2001:db8:1:1:4000::1]:80", "X"),
				GETS("[2001:db8:1:2::1]:80", "Z"),
				GETS("[2001:db8:2::1]:80", "Y"),
				GETS("[::1]:80", "X"),
				GETS("127.0.0.1:80", "-"),
			},
	},
	{
		"a listener that is gone: the ordinary lookup, and the miss is counted",
		"A 127.0.0.1:80, B 127.0.0.1:8080, A 127.0.0.0/8:90-99",
		.steps =
			{
				GETS("127.0.0.1:80", "A"),
				GETS("127.0.0.1:8080", "B"),
				HAPPENS("close A"),
				MISSES("127.0.0.1:80", 'A'),
				MISSES("127.0.0.2:95", 'A'),
				GETS("127.0.0.1:8080", "B"),
				HAPPENS("close B"),
				{.to = "127.0.0.1:8080", .gets = "-O", .missed = 'B'},
			},
	},
	{
		"a gone listener's rule still hides shorter prefixes, until it is forgotten",
		"A 127.0.0.0/8:80, B 127.1.0.0/16:80",
		.steps =
			{
				HAPPENS("close B"),
				MISSES("127.1.0.1:80", 'B'),
				GETS("127.0.0.1:80", "A"),
				HAPPENS("forget B"),
				GETS("127.1.0.1:80", "A"),
			},
	},
	{
		"a listener that is shut down: the ordinary lookup, until it listens again",
		"A 127.0.0.0/8:80, X [::1]:80",
		.steps =
			{
				GETS("127.0.0.1:80", "A"),
				HAPPENS("shutdown A"),
				MISSES("127.0.0.1:80", 'A'),
				GETS("[::1]:80", "X"),
				HAPPENS("shutdown X"),
				MISSES("[::1]:80", 'X'),
				HAPPENS("listen A"),
				GETS("127.0.0.1:80", "A"),
				MISSES("[::1]:80", 'X'),
				HAPPENS("listen X"),
				GETS("[::1]:80", "X"),
			},
	},
	{
		"members in turn: the first that lives",
		"M 127.0.0.1:80",
		.steps =
			{
				GETS("127.0.0.1:80", "M1"),
				HAPPENS("close M1"),
				GETS("127.0.0.1:80", "M2"),
				HAPPENS("shutdown M2"),
				GETS("127.0.0.1:80", "M3"),
				HAPPENS("listen M2"),
				GETS("127.0.0.1:80", "M2"),
				HAPPENS("close M2"),
				GETS("127.0.0.1:80", "M3"),
				HAPPENS("close M3"),
				MISSES("127.0.0.1:80", 'M'),
			},
	},
	{
		"a SO_REUSEPORT group",
		"R 127.0.0.1:80",
		.steps =
			{
				GETS("127.0.0.1:80", "R"),
				HAPPENS("close R1"),
				GETS("127.0.0.1:80", "R2"),
				HAPPENS("close R2"),
				MISSES("127.0.0.1:80", 'R'),
			},
	},
	{
		"a listener bound to a device gets what arrives there",
		"L 192.0.2.1:80, V 192.0.2.2:80, V 192.0.2.1:8080, A 192.0.2.3:80",
		.steps =
			{
				GETS("192.0.2.1:80", "L"),
				GETS("192.0.2.1:80%far", "-"),
				GETS("192.0.2.2:80", "-"),
				GETS("192.0.2.2:80%far", "V"),
				GETS("192.0.2.1:8080", "-O"),
				GETS("192.0.2.1:8080%far", "V"),
				GETS("192.0.2.3:80", "A"),
				GETS("192.0.2.3:80%far", "A"),
				HAPPENS("close L"),
				MISSES("192.0.2.1:80", 'L'),
				GETS("192.0.2.1:80%far", "-"),
			},
	},
	{
		"UDP has its own ports; a socket that its program connects gets no more",
		"U 127.0.0.0/8:53/udp, W [::1]:53/udp, A 127.0.0.0/8:54",
		.steps =
			{
				GETS("127.0.0.5:53/udp", "U"),
				GETS("[::1]:53/udp", "W"),
				GETS("127.0.0.5:53", "-"),
				GETS("127.0.0.5:54/udp", "-"),
				HAPPENS("connect U"),
				MISSES("127.0.0.5:53/udp", 'U'),
				HAPPENS("close W"),
				MISSES("[::1]:53/udp", 'W'),
			},
	},
	{
		"what a UDP listener is bound to",
		"U own, U 127.0.0.0/24:53/udp, W own, W [::]/0:53/udp",
		.steps =
			{
				GETS("127.0.0.1:7040/udp", "-U"),
				GETS("127.0.0.2:7040/udp", "-"),
				GETS("127.0.0.2:53/udp", "U"),
				GETS("[::1]:7040/udp", "-W"),
				GETS("[::1]:53/udp", "W"),
				HAPPENS("restart"),
				GETS("127.0.0.1:7040/udp", "-U"),
				HAPPENS("close U"),
				GETS("127.0.0.1:7040/udp", "-"),
				MISSES("127.0.0.1:53/udp", 'U'),
			},
	},
	{
		"what a UDP listener is bound to, where the port has many prefixes (trie)",
		"U own, U 127.0.1.0/24:7040/udp, U 127.0.2.0/24:7040/udp, U 127.0.3.0/24:7040/udp,"
		"U 127.0.4.0/24:7040/udp, U 127.0.5.0/24:7040/udp, U 127.0.6.0/24:7040/udp,"
		"U 127.0.7.0/24:7040/udp, U 127.0.8.0/24:7040/udp, U 127.0.0.0/30:7040/udp",
		.steps =
			{
				GETS("127.0.0.1:7040/udp", "-U"),
				GETS("127.0.0.2:7040/udp", "U"),
				GETS("127.0.8.1:7040/udp", "U"),
				GETS("127.0.9.1:7040/udp", "-"),
				HAPPENS("close U"),
				GETS("127.0.0.1:7040/udp", "-"),
				MISSES("127.0.0.2:7040/udp", 'U'),
			},
	},
	{
		"a rule that ends uncovers what it covered",
		"A 127.0.0.0/8:*, B 127.0.0.0/8:80-89, C 127.0.0.1:80",
		.steps =
			{
				GETS("127.0.0.1:80", "C"),
				HAPPENS("forget C"),
				GETS("127.0.0.1:80", "B"),
				HAPPENS("forget B"),
				GETS("127.0.0.1:80", "A"),
				GETS("127.0.0.1:8080", "A"),
				HAPPENS("forget A"),
				GETS("127.0.0.1:80", "-"),
				GETS("127.0.0.1:8080", "-O"),
			},
	},
	{
		"another helper takes over",
		"A 127.0.0.0/8:80, B 127.1.0.0/16:80-89, M 127.1.1.1:80, D [2001:db8::/32]:*",
		.steps =
			{
				HAPPENS("close M1"),
				HAPPENS("restart"),
				GETS("127.0.0.1:80", "A"),
				GETS("127.1.0.1:80", "B"),
				GETS("127.1.1.1:80", "M2"),
				GETS("[2001:db8::1]:9", "D"),
				HAPPENS("forget M"),
				GETS("127.1.1.1:80", "B"),
				HAPPENS("restart"),
				HAPPENS("forget B"),
				GETS("127.1.1.1:80", "A"),
				GETS("127.1.1.1:81", "-"),
			},
	},
	{
		"a range leaves out ports that other sockets hold, an exact port does not",
		"A 127.0.0.0/8:8000-8100, B 127.0.0.3:8080, X [::1]:*",
		.look = true,
		.steps =
			{
				GETS("127.0.0.1:8079", "A"),
				GETS("127.0.0.1:8080", "-O"),
				GETS("127.0.0.1:8081", "A"),
				GETS("127.0.0.3:8080", "B"),
				GETS("[::1]:8079", "X"),
				GETS("[::1]:8080", "-P"),
			},
	},
};

#endif
