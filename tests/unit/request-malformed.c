// SPDX-License-Identifier: BSD-2-Clause
/* What is wrong with SKL_* variables: the errno, and a sentence that names the variable and the item. */
#include "tests/unit/objects.h"

#include <malloc.h>

#include "helper/rules/request.h"

#define TEXT(t) (t), sizeof(t)

/* A letter 200 times over; a sentence shows 60 of them. */
#define X20  "xxxxxxxxxxxxxxxxxxxx"
#define X60  X20 X20 X20
#define X200 X60 X60 X60 X20

#define INVALID	   "Invalid argument: "
#define NOT_PORTS  " is not a port, a range of ports or *"
#define NOT_PREFIX " is not an address or prefix, as 192.0.2.0/24 or 2001:db8::/64"
#define NOT_BIND   " is not CIDR:PORTS, as 192.0.2.0/24:80-89,443/tcp or [2001:db8::]/64:*"
#define EMPTY_PORT "an item is empty: write ports with one comma between two, as in 7,77,777"
#define UNKNOWN	   " is not known to this helper (version "
#define NOT_SINGLE " is not a single port that the program binds: no range and no * here"

/* Parses from memory that ends where the text does, so that a sanitizer sees one byte read too much. */
static int parse(const char *text, size_t length, struct request *r, struct say *s)
{
	char *copy = malloc(length ? length : 1);
	int err;

	assert_non_null(copy);
	memcpy(copy, text, length);
	err = request_parse(copy, length, r, s);
	free(copy);
	return err;
}

/* Bytes in use after parsing this text so often that the allocator's caches do not grow any more. */
static size_t in_use_after(const char *text, size_t length)
{
	for (size_t i = 0; i < 20; i++) {
		struct say s = {0};
		struct request r;

		parse(text, length, &r, &s);
		request_free(&r);
	}
	return mallinfo2().uordblks;
}

struct refused {
	const char *text;
	size_t length;
	const char *says; /* the sentence, or how it begins */
};

static void refuses(const struct refused *cases, size_t n, int err)
{
	for (size_t i = 0; i < n; i++) {
		struct say s = {0};
		struct request r;
		int got = parse(cases[i].text, cases[i].length, &r, &s);
		size_t in_use;

		request_free(&r);
		if (got != err)
			fail_msg("%s: %d and not %d", cases[i].text, got, err);
		if (strncmp(s.text, cases[i].says, strlen(cases[i].says)) != 0)
			fail_msg("%s: \"%s\" and not \"%s\"", cases[i].text, s.text, cases[i].says);
		if (strchr(s.text, '\n'))
			fail_msg("%s: more than one sentence: \"%s\"", cases[i].text, s.text);
		in_use = in_use_after(cases[i].text, cases[i].length);
		if (in_use_after(cases[i].text, cases[i].length) != in_use)
			fail_msg("%s: memory is kept", cases[i].text);
	}
}

static void ports(void **state)
{
	static const struct refused cases[] = {
		{TEXT("SKL_PORTS=,"), "SKL_PORTS: " INVALID EMPTY_PORT},
		{TEXT("SKL_PORTS=7,"), "SKL_PORTS: " INVALID EMPTY_PORT},
		{TEXT("SKL_PORTS=,7"), "SKL_PORTS: " INVALID EMPTY_PORT},
		{TEXT("SKL_PORTS=7,,8"), "SKL_PORTS: " INVALID EMPTY_PORT},

		{TEXT("SKL_PORTS=0"), "SKL_PORTS: " INVALID "\"0\": ports begin at 1"},
		{TEXT("SKL_PORTS=000"), "SKL_PORTS: " INVALID "\"000\": ports begin at 1"},
		{TEXT("SKL_PORTS=0-7"), "SKL_PORTS: " INVALID "\"0-7\": ports begin at 1"},
		{TEXT("SKL_PORTS=7,0/tcp"), "SKL_PORTS: " INVALID "\"0/tcp\": ports begin at 1"},
		{TEXT("SKL_PORTS=65536"), "SKL_PORTS: " INVALID "\"65536\": ports end at 65535"},
		{TEXT("SKL_PORTS=7-65536"), "SKL_PORTS: " INVALID "\"7-65536\": ports end at 65535"},
		/* 7 modulo 2^16, 2^32 and 2^64 */
		{TEXT("SKL_PORTS=65543"), "SKL_PORTS: " INVALID "\"65543\": ports end at 65535"},
		{TEXT("SKL_PORTS=4294967303"), "SKL_PORTS: " INVALID "\"4294967303\": ports end at 65535"},
		{TEXT("SKL_PORTS=18446744073709551623"),
		 "SKL_PORTS: " INVALID "\"18446744073709551623\": ports end at 65535"},

		{TEXT("SKL_PORTS=9-7"), "SKL_PORTS: " INVALID "\"9-7\": the range is reversed"},
		{TEXT("SKL_PORTS=65535-1/tcp"),
		 "SKL_PORTS: " INVALID "\"65535-1/tcp\": the range is reversed"},
		{TEXT("SKL_PORTS=7-"), "SKL_PORTS: " INVALID "\"7-\" is not a port"},
		{TEXT("SKL_PORTS=-7"), "SKL_PORTS: " INVALID "\"-7\" is not a port"},
		{TEXT("SKL_PORTS=-"), "SKL_PORTS: " INVALID "\"-\" is not a port"},
		{TEXT("SKL_PORTS=7--9"), "SKL_PORTS: " INVALID "\"7--9\"" NOT_PORTS},
		{TEXT("SKL_PORTS=7-8-9"), "SKL_PORTS: " INVALID "\"7-8-9\"" NOT_PORTS},
		{TEXT("SKL_PORTS=*-9"), "SKL_PORTS: " INVALID "\"*-9\"" NOT_PORTS},
		{TEXT("SKL_PORTS=7-*"), "SKL_PORTS: " INVALID "\"7-*\"" NOT_PORTS},

		{TEXT("SKL_PORTS=http"), "SKL_PORTS: " INVALID "\"http\"" NOT_PORTS},
		{TEXT("SKL_PORTS=7,x,9"), "SKL_PORTS: " INVALID "\"x\"" NOT_PORTS},
		{TEXT("SKL_PORTS=7x"), "SKL_PORTS: " INVALID "\"7x\"" NOT_PORTS},
		{TEXT("SKL_PORTS=0x7"), "SKL_PORTS: " INVALID "\"0x7\"" NOT_PORTS},
		{TEXT("SKL_PORTS=7.0"), "SKL_PORTS: " INVALID "\"7.0\"" NOT_PORTS},
		{TEXT("SKL_PORTS=+7"), "SKL_PORTS: " INVALID "\"+7\"" NOT_PORTS},
		{TEXT("SKL_PORTS= 7"), "SKL_PORTS: " INVALID "\" 7\"" NOT_PORTS},
		{TEXT("SKL_PORTS=7 "), "SKL_PORTS: " INVALID "\"7 \"" NOT_PORTS},
		{TEXT("SKL_PORTS=7, 8"), "SKL_PORTS: " INVALID "\" 8\"" NOT_PORTS},
		{TEXT("SKL_PORTS=7 8"), "SKL_PORTS: " INVALID "\"7 8\"" NOT_PORTS},
		{TEXT("SKL_PORTS=7;8"), "SKL_PORTS: " INVALID "\"7;8\"" NOT_PORTS},
		{TEXT("SKL_PORTS=**"), "SKL_PORTS: " INVALID "\"**\"" NOT_PORTS},
		{TEXT("SKL_PORTS=\xd9\xa7"), "SKL_PORTS: " INVALID "\"??\"" NOT_PORTS},
		{TEXT("SKL_PORTS=7\n8"), "SKL_PORTS: " INVALID "\"7?8\"" NOT_PORTS},
		{TEXT("SKL_PORTS=" X200), "SKL_PORTS: " INVALID "\"" X60 "\"" NOT_PORTS},

		{TEXT("SKL_PORTS=7/"), "SKL_PORTS: " INVALID "\"7/\": after the slash comes tcp or udp"},
		{TEXT("SKL_PORTS=7/sctp"),
		 "SKL_PORTS: " INVALID "\"7/sctp\": after the slash comes tcp or udp"},
		{TEXT("SKL_PORTS=7/TCP"),
		 "SKL_PORTS: " INVALID "\"7/TCP\": after the slash comes tcp or udp"},
		{TEXT("SKL_PORTS=7/tcpx"),
		 "SKL_PORTS: " INVALID "\"7/tcpx\": after the slash comes tcp or udp"},
		{TEXT("SKL_PORTS=7/tcp/udp"),
		 "SKL_PORTS: " INVALID "\"7/tcp/udp\": after the slash comes tcp or udp"},
		{TEXT("SKL_PORTS=7/tcp-9"),
		 "SKL_PORTS: " INVALID "\"7/tcp-9\": after the slash comes tcp or udp"},
		{TEXT("SKL_PORTS=/tcp"), "SKL_PORTS: " INVALID "\"/tcp\" is not a port"},
	};

	refuses(cases, COUNT(cases), -EINVAL);
}

static void cidrs(void **state)
{
	static const struct refused cases[] = {
		{TEXT("SKL_CIDRS=,"), "SKL_CIDRS: " INVALID "an item is empty"},
		{TEXT("SKL_CIDRS=::1,"), "SKL_CIDRS: " INVALID "an item is empty"},
		{TEXT("SKL_CIDRS=x"), "SKL_CIDRS: " INVALID "\"x\"" NOT_PREFIX},
		{TEXT("SKL_CIDRS=192.0.2.0/33"), "SKL_CIDRS: " INVALID "\"192.0.2.0/33\"" NOT_PREFIX},
		{TEXT("SKL_CIDRS=::1,192.0.2.0/"), "SKL_CIDRS: " INVALID "\"192.0.2.0/\"" NOT_PREFIX},
		{TEXT("SKL_CIDRS=::1, ::2"), "SKL_CIDRS: " INVALID "\" ::2\"" NOT_PREFIX},
		{TEXT("SKL_CIDRS=::1 ::2"), "SKL_CIDRS: " INVALID "\"::1 ::2\"" NOT_PREFIX},
		{TEXT("SKL_CIDRS=[::1]"), "SKL_CIDRS: " INVALID "\"[::1]\"" NOT_PREFIX},
		{TEXT("SKL_CIDRS=192.0.2.0/24:80"), "SKL_CIDRS: " INVALID "\"192.0.2.0/24:80\"" NOT_PREFIX},
		{TEXT("SKL_CIDRS=*"), "SKL_CIDRS: " INVALID "\"*\"" NOT_PREFIX},
		{TEXT("SKL_CIDRS=" X200), "SKL_CIDRS: " INVALID "\"" X60 "\"" NOT_PREFIX},
	};

	refuses(cases, COUNT(cases), -EINVAL);
}

static void binds(void **state)
{
	static const struct refused cases[] = {
		{TEXT("SKL_BIND=192.0.2.1"), "SKL_BIND: " INVALID "\"192.0.2.1\"" NOT_BIND},
		{TEXT("SKL_BIND=192.0.2.1:"), "SKL_BIND: " INVALID "\"192.0.2.1:\"" NOT_BIND},
		{TEXT("SKL_BIND=[::1]:"), "SKL_BIND: " INVALID "\"[::1]:\"" NOT_BIND},
		{TEXT("SKL_BIND=:80"), "SKL_BIND: " INVALID "\":80\"" NOT_BIND},
		{TEXT("SKL_BIND=[]:80"), "SKL_BIND: " INVALID "\"[]:80\"" NOT_BIND},
		{TEXT("SKL_BIND=:"), "SKL_BIND: " INVALID "\":\"" NOT_BIND},
		{TEXT("SKL_BIND=["), "SKL_BIND: " INVALID "\"[\"" NOT_BIND},
		{TEXT("SKL_BIND=[]"), "SKL_BIND: " INVALID "\"[]\"" NOT_BIND},
		{TEXT("SKL_BIND=[::1:80"), "SKL_BIND: " INVALID "\"[::1:80\"" NOT_BIND},
		{TEXT("SKL_BIND=[::1]"), "SKL_BIND: " INVALID "\"[::1]\"" NOT_BIND},
		{TEXT("SKL_BIND=[::1]80"), "SKL_BIND: " INVALID "\"[::1]80\"" NOT_BIND},
		{TEXT("SKL_BIND=[2001:db8::]5:80"), "SKL_BIND: " INVALID "\"[2001:db8::]5:80\"" NOT_BIND},
		{TEXT("SKL_BIND=[::1]:80:81"), "SKL_BIND: " INVALID "\"[::1]:80:81\"" NOT_BIND},
		{TEXT("SKL_BIND=192.0.2.1:80:81"), "SKL_BIND: " INVALID "\"192.0.2.1:80:81\"" NOT_BIND},
		{TEXT("SKL_BIND=2001:db8::/64:80"), "SKL_BIND: " INVALID "\"2001:db8::/64:80\"" NOT_BIND},
		{TEXT("SKL_BIND=::1]:80"), "SKL_BIND: " INVALID "\"::1]:80\"" NOT_BIND},
		{TEXT("SKL_BIND=[::1]:80 192.0.2.1"), "SKL_BIND: " INVALID "\"192.0.2.1\"" NOT_BIND},
		{TEXT("SKL_BIND=192.0.2.1:80,[::1]:81"),
		 "SKL_BIND: " INVALID "\"192.0.2.1:80,[::1]:81\"" NOT_BIND},
		{TEXT("SKL_BIND=[::1]/" X200 ":80"), "SKL_BIND: " INVALID "\"[::1]/"},

		{TEXT("SKL_BIND=x:80"), "SKL_BIND: " INVALID "\"x\"" NOT_PREFIX},
		{TEXT("SKL_BIND=[x]:80"), "SKL_BIND: " INVALID "\"x\"" NOT_PREFIX},
		{TEXT("SKL_BIND=[[::1]]:80"), "SKL_BIND: " INVALID},
		{TEXT("SKL_BIND=192.0.2.0/33:80"), "SKL_BIND: " INVALID "\"192.0.2.0/33\"" NOT_PREFIX},
		{TEXT("SKL_BIND=[::1]/129:80"), "SKL_BIND: " INVALID "\"::1/129\"" NOT_PREFIX},
		{TEXT("SKL_BIND=" X200 ":80"), "SKL_BIND: " INVALID "\"" X60 "\"" NOT_PREFIX},

		{TEXT("SKL_BIND=192.0.2.1:0"), "SKL_BIND: " INVALID "\"0\": ports begin at 1"},
		{TEXT("SKL_BIND=192.0.2.1:65536"), "SKL_BIND: " INVALID "\"65536\": ports end at 65535"},
		{TEXT("SKL_BIND=192.0.2.1:9-7"), "SKL_BIND: " INVALID "\"9-7\": the range is reversed"},
		{TEXT("SKL_BIND=192.0.2.1:80,"), "SKL_BIND: " INVALID EMPTY_PORT},
		{TEXT("SKL_BIND=192.0.2.1:,80"), "SKL_BIND: " INVALID EMPTY_PORT},
		{TEXT("SKL_BIND=192.0.2.1:80 [::1]:x"), "SKL_BIND: " INVALID "\"x\"" NOT_PORTS},
		{TEXT("SKL_BIND=192.0.2.1:80, 81"), "SKL_BIND: " INVALID EMPTY_PORT},
	};

	refuses(cases, COUNT(cases), -EINVAL);
}

static void others(void **state)
{
	static const struct refused cases[] = {
		{TEXT("SKL_FOR=8080-8090"), "SKL_FOR: " INVALID "\"8080-8090\"" NOT_SINGLE},
		{TEXT("SKL_FOR=80,*"), "SKL_FOR: " INVALID "\"*\"" NOT_SINGLE},
		{TEXT("SKL_FOR=80,"), "SKL_FOR: " INVALID EMPTY_PORT},
		{TEXT("SKL_FOR=http"), "SKL_FOR: " INVALID "\"http\"" NOT_PORTS},
		{TEXT("SKL_FOR=0"), "SKL_FOR: " INVALID "\"0\": ports begin at 1"},
		{TEXT("SKL_FOR=80/sctp"),
		 "SKL_FOR: " INVALID "\"80/sctp\": after the slash comes tcp or udp"},
		{TEXT("SKL_FOR=127.0.0.1"), "SKL_FOR: " INVALID "\"127.0.0.1\"" NOT_PORTS},

		{TEXT("SKL_ON_ERROR=ignore"), "SKL_ON_ERROR: " INVALID "\"ignore\" is neither fail nor warn"},
		{TEXT("SKL_ON_ERROR=WARN"), "SKL_ON_ERROR: " INVALID "\"WARN\" is neither fail nor warn"},
		{TEXT("SKL_ON_ERROR=warn "), "SKL_ON_ERROR: " INVALID "\"warn \" is neither fail nor warn"},

		{TEXT("SKL_WAIT=soon"), "SKL_WAIT: " INVALID "\"soon\" is not a time, as 5s or 500ms"},
		{TEXT("SKL_WAIT=s"), "SKL_WAIT: " INVALID "\"s\" is not a time"},
		{TEXT("SKL_WAIT=-5s"), "SKL_WAIT: " INVALID "\"-5s\" is not a time"},
		{TEXT("SKL_WAIT=5h"), "SKL_WAIT: " INVALID "\"5h\" is not a time"},
		{TEXT("SKL_WAIT=5 s"), "SKL_WAIT: " INVALID "\"5 s\" is not a time"},
		{TEXT("SKL_WAIT=5.5s"), "SKL_WAIT: " INVALID "\"5.5s\" is not a time"},
		{TEXT("SKL_WAIT=99999999999999999999s"),
		 "SKL_WAIT: " INVALID "\"99999999999999999999s\" is not"},

		{TEXT("SKL_PORT=7"), "environment: " INVALID "SKL_PORT" UNKNOWN},
		{TEXT("SKL_PORTSS=7"), "environment: " INVALID "SKL_PORTSS" UNKNOWN},
		{TEXT("SKL_ports=7"), "environment: " INVALID "SKL_ports" UNKNOWN},
		{TEXT("SKL_=7"), "environment: " INVALID "SKL_" UNKNOWN},
		{TEXT("SKL_NEW="), "environment: " INVALID "SKL_NEW" UNKNOWN},
		{TEXT("SKL_PORTS=7\0SKL_NEW=1\0SKL_CIDRS=::1"), "environment: " INVALID "SKL_NEW" UNKNOWN},
		{TEXT("PATH=/bin"), "environment: " INVALID "PATH" UNKNOWN},
		{TEXT("=7"), "environment: " INVALID UNKNOWN},
		{TEXT("SKL_" X200 "=7"), "environment: " INVALID "SKL_"},

		{TEXT("SKL_PORTS"), "request: " INVALID "\"SKL_PORTS\" is not NAME=value"},
		{TEXT("SKL_PORTS=7\0SKL_CIDRS"), "request: " INVALID "\"SKL_CIDRS\" is not NAME=value"},
		{TEXT(""), "request: " INVALID "\"\" is not NAME=value"},
		{TEXT("SKL_PORTS=7\0"), "request: " INVALID "\"\" is not NAME=value"},
		{TEXT("\0SKL_PORTS=7"), "request: " INVALID "\"\" is not NAME=value"},
		{"SKL_PORTS=7", 11, "request: " INVALID "the text does not end with NUL"},
		{"SKL_PORTS=7\0SKL_CIDRS=::1", 25, "request: " INVALID "the text does not end with NUL"},
		{"S", 1, "request: " INVALID "the text does not end with NUL"},
	};

	refuses(cases, COUNT(cases), -EINVAL);
}

static void malformed_shares(void **state)
{
	static const struct refused cases[] = {
		{TEXT("SKL_SHARE=a b"), "SKL_SHARE: " INVALID "\"a b\" is not a name"},
		{TEXT("SKL_SHARE=a/b"), "SKL_SHARE: " INVALID},
		{TEXT("SKL_SHARE=a:b"), "SKL_SHARE: " INVALID},
		{TEXT("SKL_SHARE=\303\244"), "SKL_SHARE: " INVALID},
		/* 65 characters */
		{TEXT("SKL_SHARE=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"),
		 "SKL_SHARE: " INVALID},
		{TEXT("SKL_HOLD=30s"), "SKL_HOLD: " INVALID "it is for the listener of a share, and SKL_SHARE"},
		{TEXT("SKL_SHARE=\0SKL_HOLD=30s"), "SKL_HOLD: " INVALID "it is for the listener of a share"},
		{TEXT("SKL_SHARE=web\0SKL_HOLD=soon"), "SKL_HOLD: " INVALID "\"soon\" is not a time"},
		{TEXT("SKL_SHARE=web\0SKL_HOLD=s"), "SKL_HOLD: " INVALID "\"s\" is not a time"},
		{TEXT("SKL_SHARE=web\0SKL_HOLD=1h"), "SKL_HOLD: " INVALID "\"1h\" is not a time"},
		{TEXT("SKL_SHARE=web\0SKL_HOLD=-1s"), "SKL_HOLD: " INVALID},
		{TEXT("SKL_SHARE=web\0SKL_HOLD=1234567ms"), "SKL_HOLD: " INVALID "\"1234567ms\" is not a time"},
		{TEXT("SKL_SHARE=web\0SKL_HOLD=3601s"), "SKL_HOLD: " INVALID "\"3601s\" is more than an hour"},
		{TEXT("SKL_SHARE=web\0SKL_HOLD=61m"), "SKL_HOLD: " INVALID "\"61m\" is more than an hour"},
	};

	refuses(cases, COUNT(cases), -EINVAL);
}

static void four_kilobytes_of_commas(void **state)
{
	static const char *const names[] = {"SKL_PORTS=", "SKL_CIDRS=", "SKL_FOR=", "SKL_BIND=[::1]:"};
	static const char *const says[] = {"SKL_PORTS: " INVALID EMPTY_PORT,
					   "SKL_CIDRS: " INVALID "an item is empty",
					   "SKL_FOR: " INVALID EMPTY_PORT, "SKL_BIND: " INVALID EMPTY_PORT};

	for (size_t i = 0; i < COUNT(names); i++) {
		char text[4096];
		struct refused one = {text, sizeof(text), says[i]};

		memset(text, ',', sizeof(text));
		memcpy(text, names[i], strlen(names[i]));
		text[sizeof(text) - 1] = '\0';
		refuses(&one, 1, -EINVAL);
	}
}

/* Writes up to `most` pieces of requests after each other; returns the length. */
static size_t invent(char *out, size_t most)
{
	static const char *const pieces[] = {
		"SKL_PORTS=", "SKL_CIDRS=", "SKL_BIND=", "SKL_FOR=", "SKL_", "SKL_WAIT=", "7",	  "80",
		"65535",      "65536",	    "0",	 "-",	     "/",    ":",	  "*",	  ",",
		" ",	      "[",	    "]",	 "=",	     "::1",  "::",	  "/tcp", "/udp",
		"192.0.2.1",  "/24",	    "/64",	 "x",	     "\xff", "[::1]:80",
	};
	size_t n = (size_t)random() % most, used = 0;

	for (size_t i = 0; i < n; i++) {
		size_t k = (size_t)random() % (COUNT(pieces) + 4);

		if (k < COUNT(pieces)) {
			memcpy(out + used, pieces[k], strlen(pieces[k]));
			used += strlen(pieces[k]);
		} else {
			out[used++] = '\0';
		}
	}
	if (random() % 8)
		out[used++] = '\0';
	return used;
}

static bool sound_ports(const struct port_item *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (p[i].first < 1 || p[i].last < p[i].first)
			return false;
	}
	return true;
}

/* Whatever comes: 0 or a known errno with a sentence; and only sound ports. */
static void whatever_comes(void **state)
{
	size_t understood = 0;

	srandom(2);
	for (size_t i = 0; i < 100000; i++) {
		char text[512];
		struct say s = {0};
		struct request r;
		int err;

		/* half of them begin well, so that some get far */
		memcpy(text, "SKL_BIND=", 9);
		err = i % 2 ? parse(text, invent(text, 24), &r, &s)
			    : parse(text, 9 + invent(text + 9, 8), &r, &s);
		assert_true(err == 0 || err == -EINVAL || err == -EOPNOTSUPP);
		assert_true(err == 0 || s.length > 0);
		assert_true(sound_ports(r.ports, r.n_ports) && sound_ports(r.only, r.n_only));
		for (size_t k = 0; k < r.n_binds; k++)
			assert_true(sound_ports(&r.binds[k].ports, 1));
		understood += err == 0 && (r.n_ports || r.n_cidrs || r.n_binds || r.n_only);
		request_free(&r);
	}
	assert_true(understood > 100);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(ports),	  cmocka_unit_test(cidrs),
		cmocka_unit_test(binds),	  cmocka_unit_test(others),
		cmocka_unit_test(malformed_shares),	  cmocka_unit_test(four_kilobytes_of_commas),
		cmocka_unit_test(whatever_comes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
