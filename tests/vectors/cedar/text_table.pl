#!/usr/bin/perl
# Writes host/cedar/text_table.h from the Unicode data that perl carries: perl tests/vectors/cedar/text_table.pl > host/cedar/text_table.h
# Two facts per character: may it stand in a name (UTS 39, Identifier_Status=Allowed), and which scripts use it
# (Script_Extensions, with the CJK sets of UTS 39 section 5.1 added).
use strict;
use warnings;
use Unicode::UCD qw(prop_invmap);

my ($starts, $values) = prop_invmap("Script_Extensions");
my (%script, @sets, %set_id, @ranges);
my $next = 3; # 0 Hanb, 1 Jpan, 2 Kore
sub id { my $s = shift; $script{$s} = $next++ unless exists $script{$s}; return $script{$s} }
for my $i (0 .. $#$starts) {
    my $from = $starts->[$i];
    my $to = $i < $#$starts ? $starts->[$i + 1] - 1 : 0x10FFFF;
    my @s = ref $values->[$i] ? @{ $values->[$i] } : split ' ', $values->[$i];
    next if grep { /^(Common|Inherited|Zyyy|Zinh)$/ } @s; # all scripts
    my %n;
    for my $s (grep { !/^(Unknown|Zzzz)$/ } @s) { # unknown: no script at all, which is never a single one
        $n{id($s)} = 1;
        if ($s eq "Han") { $n{0} = $n{1} = $n{2} = 1 }
        if ($s eq "Hiragana" || $s eq "Katakana") { $n{1} = 1 }
        if ($s eq "Hangul") { $n{2} = 1 }
        if ($s eq "Bopomofo") { $n{0} = 1 }
    }
    my $key = join ",", sort { $a <=> $b } keys %n;
    unless (exists $set_id{$key}) { $set_id{$key} = scalar @sets; push @sets, [keys %n] }
    if (@ranges && $ranges[-1][1] + 1 == $from && $ranges[-1][2] == $set_id{$key}) { $ranges[-1][1] = $to }
    else { push @ranges, [$from, $to, $set_id{$key}] }
}
die "too many scripts" if $next > 192;

my @allowed;
my $open = -1;
for my $c (0x80 .. 0x10FFFF + 1) {
    my $a = $c <= 0x10FFFF && !($c >= 0xD800 && $c <= 0xDFFF) && chr($c) =~ /\p{Identifier_Status=Allowed}/;
    if ($a && $open < 0) { $open = $c }
    if (!$a && $open >= 0) { push @allowed, [$open, $c - 1]; $open = -1 }
}

printf "/* cedar/text_table.h: made by tests/vectors/cedar/text_table.pl from Unicode %s; do not edit. Characters that may stand in names,\n", Unicode::UCD::UnicodeVersion();
print " * and the scripts that use a character. Characters of no particular script are in no range. */\n";
print "static const uint32_t allowed[][2] = {\n";
sub rows { my ($fmt, @r) = @_; while (@r) { print "    ", join(" ", map { sprintf $fmt, @$_ } splice @r, 0, 8), "\n" } }
rows("{ 0x%X, 0x%X },", @allowed);
print "};\n\n/* Script sets as bits. */\nstatic const uint64_t script_sets[][3] = {\n";
my @rows;
for my $s (@sets) {
    my @w = (0, 0, 0);
    $w[int($_ / 64)] |= 1 << ($_ % 64) for @$s;
    push @rows, [@w];
}
rows("{ 0x%X, 0x%X, 0x%X },", @rows);
print "};\n\nstatic const struct { uint32_t from, to; uint16_t set; } scripts[] = {\n";
rows("{ 0x%X, 0x%X, %d },", @ranges);
print "};\n";
