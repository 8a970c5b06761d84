//! Every statement of the ledger. Rows are read by position, in the order of the columns named.

macro_rules! statements {
    ($($name:ident = $sql:literal;)*) => {
        $(pub(crate) const $name: &str = $sql;)*

        /// Every statement with its name, so that a test can prepare all of them on both engines.
        pub const STATEMENTS: &[(&str, &str)] = &[$((stringify!($name), $sql)),*];
    };
}

statements! {
    KNOWN = "select kind, reference, seq, content from ledger_transaction
        where tenant = $1 and kind = $2 and reference in ($3)";

    RESERVE = "insert into ledger_head (tenant, seq, sealed) values ($1, $2, 0)
        on conflict (tenant) do update set seq = ledger_head.seq + excluded.seq
        returning seq";

    OPEN_ACCOUNTS = "insert into ledger_account
            (tenant, name, currency, kind, normal, guarded, posted_debits, posted_credits, held_debits, held_credits, opened_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
        on conflict (tenant, name, currency) do nothing";

    INSERT_TRANSACTIONS = "insert into ledger_transaction
            (tenant, seq, kind, reference, at, memo, reverses, content)
        values ($1, $2, $3, $4, $5, $6, $7, $8)";

    INSERT_LEGS = "insert into ledger_leg (tenant, seq, leg, account, currency, side, amount)
        values ($1, $2, $3, $4, $5, $6, $7)";

    GUARDED = "select name, currency, posted_debits, posted_credits, held_debits, held_credits from ledger_account
        where tenant = $1 and guarded = 1 and name in ($2)
        order by name, currency";

    MOVE = "update ledger_account
        set posted_debits = posted_debits + $4, posted_credits = posted_credits + $5,
            held_debits = held_debits + $6, held_credits = held_credits + $7
        where tenant = $1 and name = $2 and currency = $3 and guarded = 1
          and (normal = 'debit' or posted_credits + $5 - posted_debits - $4 - held_debits - $6 >= 0)
          and (normal = 'credit' or posted_debits + $4 - posted_credits - $5 - held_credits - $7 >= 0)
        returning name";

    TRANSACTION = "select seq, kind, reference, at, memo, reverses, content from ledger_transaction
        where tenant = $1 and seq = $2";

    TRANSACTIONS = "select seq, kind, reference, at, memo, reverses, content from ledger_transaction
        where tenant = $1 and seq >= $2 and seq <= $3
        order by seq limit $4";

    REVERSAL_OF = "select seq from ledger_transaction where tenant = $1 and reverses = $2";

    LEGS = "select seq, leg, account, currency, side, amount from ledger_leg
        where tenant = $1 and (seq > $2 or (seq = $2 and leg > $3)) and seq <= $4
        order by seq, leg limit $5";

    STATEMENT = "select l.seq, l.leg, l.side, l.amount, t.kind, t.reference, t.at, t.memo, t.reverses
        from ledger_leg l
        join ledger_transaction t on t.tenant = l.tenant and t.seq = l.seq
        where l.tenant = $1 and l.account = $2 and l.currency = $3 and (l.seq > $4 or (l.seq = $4 and l.leg > $5))
        order by l.seq, l.leg limit $6";

    SUMS_THROUGH = "select side, cast(sum(amount) as bigint) from ledger_leg
        where tenant = $1 and account = $2 and currency = $3 and (seq < $4 or (seq = $4 and leg <= $5))
        group by side";

    ACCOUNT = "select posted_debits, posted_credits, held_debits, held_credits from ledger_account
        where tenant = $1 and name = $2 and currency = $3";

    HELD = "select cast(coalesce(sum(case when debit_account = $2 then amount else 0 end), 0) as bigint),
            cast(coalesce(sum(case when credit_account = $2 then amount else 0 end), 0) as bigint)
        from ledger_hold
        where tenant = $1 and currency = $3 and state = 'held' and (debit_account = $2 or credit_account = $2)";

    ACCOUNTS = "select name, currency from ledger_account
        where tenant = $1 and (cast($2 as text) is null or kind = $2) and (cast($3 as text) is null or name > $3)
        order by name, currency limit $4";

    TRIAL_BALANCE = "select a.kind, s.currency,
            cast(sum(case when s.side = 'debit' then s.amount else 0 end) as bigint),
            cast(sum(case when s.side = 'credit' then s.amount else 0 end) as bigint)
        from (select account, currency, side, sum(amount) as amount from ledger_leg
              where tenant = $1 group by account, currency, side) s
        join ledger_account a on a.tenant = $1 and a.name = s.account and a.currency = s.currency
        group by a.kind, s.currency
        order by a.kind, s.currency";

    TENANTS = "select tenant from ledger_head
        where cast($1 as text) is null or tenant > $1
        order by tenant limit $2";

    HEAD = "select seq, sealed from ledger_head where tenant = $1";

    KNOWN_HOLD = "select id, debit_account, credit_account, currency, amount from ledger_hold
        where tenant = $1 and kind = $2 and reference = $3";

    HOLD = "select kind, reference, debit_account, credit_account, currency, amount, memo, expires_at, state, seq, posted
        from ledger_hold where tenant = $1 and id = $2";

    INSERT_HOLD = "insert into ledger_hold
            (tenant, id, kind, reference, debit_account, credit_account, currency, amount, memo, at, expires_at, state)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 'held')";

    END_HOLD = "update ledger_hold set state = $3, seq = $4, posted = $5, ended_at = $6
        where tenant = $1 and id = $2 and state = 'held'
        returning id";

    HOLDS_DUE = "select id from ledger_hold
        where tenant = $1 and state = 'held' and expires_at <= $2
        order by expires_at, id limit $3";

    TENANTS_WITH_HOLDS_DUE = "select distinct tenant from ledger_hold
        where state = 'held' and expires_at <= $1 order by tenant limit $2";

    HELD_BY_ACCOUNT = "select name, cast(sum(debits) as bigint), cast(sum(credits) as bigint) from (
            select debit_account as name, currency, amount as debits, 0 as credits from ledger_hold
            where tenant = $1 and state = 'held'
            union all
            select credit_account as name, currency, 0 as debits, amount as credits from ledger_hold
            where tenant = $1 and state = 'held') as held
        where currency = $2 and name > $3
        group by name order by name limit $4";

    GUARDED_ACCOUNTS = "select name, posted_debits, posted_credits, held_debits, held_credits from ledger_account
        where tenant = $1 and guarded = 1 and currency = $2 and name > $3
        order by name limit $4";

    LAST_SEAL = "select number, day, until_seq, digest from ledger_seal where tenant = $1 order by number desc limit 1";

    SEALS = "select number, day, from_seq, until_seq, digest from ledger_seal
        where tenant = $1 and number > $2 order by number limit $3";

    INSERT_SEAL = "insert into ledger_seal (tenant, number, day, from_seq, until_seq, digest, sealed_at)
        values ($1, $2, $3, $4, $5, $6, $7)";

    SET_SEALED = "update ledger_head set sealed = $2 where tenant = $1";

    FIRST_SINCE = "select seq from ledger_transaction
        where tenant = $1 and seq >= $2 and seq <= $3 and at >= $4
        order by seq limit 1";

    TENANTS_TO_SEAL = "select h.tenant from ledger_head h
        join ledger_transaction t on t.tenant = h.tenant and t.seq = h.sealed + 1
        where h.sealed < h.seq and t.at < $1
        order by h.tenant limit $2";

    ORPHANED_LEGS = "select count(*) from ledger_leg l
        left join ledger_transaction t on t.tenant = l.tenant and t.seq = l.seq
        where l.tenant = $1 and t.seq is null";
}

/// A statement whose list `in ($n)` holds `count` parameters from `$n` on.
pub(crate) fn with_list(sql: &str, first: usize, count: usize) -> String {
    let names: Vec<String> = (first..first + count)
        .map(|number| format!("${number}"))
        .collect();
    sql.replace(
        &format!("in (${first})"),
        &format!("in ({})", names.join(", ")),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_has_as_many_parameters_as_it_is_told() {
        assert_eq!(
            with_list("a in ($2) and b", 2, 3),
            "a in ($2, $3, $4) and b"
        );
    }
}
